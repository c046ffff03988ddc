"""The keys of the machine that builds images."""

import stat
from pathlib import Path

import pytest

from allerac_image.errors import ImageError
from allerac_image.log import StepLog
from allerac_image.signing import Signer


@pytest.fixture
def log(tmp_path: Path) -> StepLog:
    """A log of a step."""
    return StepLog(tmp_path / "log", None)


def test_keys_are_made_once(tmp_path: Path, log: StepLog) -> None:
    signer = Signer(tmp_path / "keys")
    signer.make_development_keys(log)
    made = signer.key.read_bytes()
    signer.make_development_keys(log)
    assert signer.is_complete
    assert signer.key.read_bytes() == made
    assert stat.S_IMODE(signer.key.stat().st_mode) == 0o600


@pytest.mark.parametrize("lost", ["ca.crt", "signing.crt", "signing.key"])
def test_half_a_set_of_keys_is_never_completed(tmp_path: Path, log: StepLog, lost: str) -> None:
    signer = Signer(tmp_path / "keys")
    signer.make_development_keys(log)
    (tmp_path / "keys" / lost).unlink()
    with pytest.raises(ImageError, match="some of the signing keys"):
        signer.make_development_keys(log)
    assert len(list((tmp_path / "keys").iterdir())) == 2
