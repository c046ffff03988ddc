"""The code on the label: made once, read by the runtime alone, gone after the claim."""

import stat
from pathlib import Path

import pytest

from allerac.errors import WrongCredentials
from allerac.onboarding import OnboardingService
from allerac.onboarding.claim_code import ClaimCode
from allerac.storage import Database
from allerac.storage.attempts import AttemptStore
from allerac.storage.box import BoxStore
from tests.faults.claiming import NAMES, CheapSecrets, take_step, wizard_over


def _wizard(database: Database, folder: Path, code: str) -> OnboardingService:
    return OnboardingService(
        store=BoxStore(database),
        attempts=AttemptStore(database),
        code=ClaimCode(folder / "claim-code", lambda: code),
        secrets=CheapSecrets(),
    )


def test_code_is_made_once_and_only_the_runtime_reads_it(tmp_path: Path) -> None:
    made = iter(["FRSTCODE", "SCNDCODE"])
    path = tmp_path / "secrets" / "claim-code"
    code = ClaimCode(path, lambda: next(made))
    assert code.read() is None
    assert code.read_or_make() == code.read_or_make() == "FRSTCODE"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [file.name for file in path.parent.iterdir()] == ["claim-code"]


@pytest.mark.parametrize("left", ["", "\n", "  "])
def test_code_that_a_power_cut_left_empty_is_made_anew(tmp_path: Path, left: str) -> None:
    path = tmp_path / "claim-code"
    path.write_text(left)
    assert ClaimCode(path, lambda: "ABCDEFGH").read_or_make() == "ABCDEFGH"


def test_code_is_burnt_for_good_and_burning_twice_is_no_error(tmp_path: Path) -> None:
    code = ClaimCode(tmp_path / "claim-code", lambda: "ABCDEFGH")
    code.read_or_make()
    code.burn()
    code.burn()
    assert code.read() is None


async def test_label_that_was_written_later_counts_and_the_code_before_it_does_not(
    tmp_path: Path,
) -> None:
    database = Database(tmp_path / "allerac.sqlite")
    await database.open()
    await _wizard(database, tmp_path, "ABCDEFGH").start()
    (tmp_path / "claim-code").write_text("LABELCDE\n")
    wizard = _wizard(database, tmp_path, "ABCDEFGH")
    await wizard.start()
    assert wizard.claim_code() == "LABE-LCDE"
    with pytest.raises(WrongCredentials):
        await wizard.verify_code("ABCDEFGH", address="")
    assert await wizard.verify_code("LABELCDE", address="")
    await database.close()


async def test_code_left_by_a_kill_right_after_the_claim_is_burnt_at_the_next_start(
    tmp_path: Path,
) -> None:
    database = Database(tmp_path / "allerac.sqlite")
    await database.open()
    wizard = wizard_over(database, tmp_path)
    await wizard.start()
    token: str | None = None
    for step in NAMES:
        token = await take_step(wizard, step, token)
    (tmp_path / "claim-code").write_text("ABCDEFGH")
    again = wizard_over(database, tmp_path)
    await again.start()
    assert not (tmp_path / "claim-code").exists()
    assert again.claim_code() is None
    await database.close()
