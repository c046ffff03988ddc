"""A whole batch with all that goes wrong in one: no bad unit leaves, every good one works."""

import os
from pathlib import Path

import pytest

from .small_image import SmallImage
from .twin import GOOD, OTHER_TIER, Row, Twin

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory, small_image: SmallImage) -> Twin:
    """A factory whose batch is over."""
    return Twin(tmp_path_factory.mktemp("twin"), small_image)


@pytest.fixture(scope="module")
def rows(twin: Twin) -> dict[str, Row]:
    """What became of each drive."""
    return {row.drive: row for row in twin.run()}


def test_good_units_are_released_and_claimed_by_what_was_scanned(rows: dict[str, Row]) -> None:
    for name in GOOD:
        assert (rows[name].outcome, rows[name].is_claimed) == ("released", True)


def test_unit_in_a_machine_of_another_tier_fails_its_burn_in_for_the_reason(
    rows: dict[str, Row],
) -> None:
    assert rows[OTHER_TIER].outcome == "burn-in failed: tier"


@pytest.mark.parametrize(
    ("drive", "outcome"),
    [
        ("D4", "failed: drive gone"),
        ("D5", "failed: drive error"),
        ("D6", "refused: too small"),
        ("D7", "refused: the serial ALR-VM-000001 was given to another unit"),
        ("D8", "refused: holds a claimed Allerac, ALR-OLD-000001"),
    ],
)
def test_bad_drive_is_lost_for_its_own_reason(
    rows: dict[str, Row], drive: str, outcome: str
) -> None:
    assert rows[drive].outcome.startswith(outcome)


def test_no_bad_unit_has_a_label(rows: dict[str, Row]) -> None:
    assert {name for name, row in rows.items() if row.has_label} == set(GOOD)


def test_ledger_of_the_batch_is_whole(rows: dict[str, Row], twin: Twin) -> None:
    assert rows
    assert twin.workshop.do("verify") == 0


@pytest.mark.matrix
def test_twin_of_the_real_image(tmp_path: Path) -> None:
    """Needs `ALLERAC_TEST_IMAGE`, a built `vm` with its raw disk, and `ALLERAC_TEST_TRUST`."""
    folder = Path(os.environ["ALLERAC_TEST_IMAGE"])
    trust = Path(os.environ["ALLERAC_TEST_TRUST"])
    raw = next(folder.glob("*.img"))
    rows = Twin(tmp_path, SmallImage(folder, trust, trust, trust, raw)).run()
    assert [row.drive for row in rows if row.has_label] == list(GOOD)
    assert all(row.is_claimed for row in rows if row.has_label)
