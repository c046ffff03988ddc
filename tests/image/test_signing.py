"""Development keys: made once, private, and good for a bundle that RAUC believes."""

import os
import stat
import subprocess
from pathlib import Path

import pytest

from allerac_image.bundle import make_bundle
from allerac_image.errors import ImageError
from allerac_image.log import StepLog
from allerac_image.plan import Plan
from allerac_image.signing import Signer
from tests.image.plans import plan_below


@pytest.fixture
def log(tmp_path: Path) -> StepLog:
    """A step's log."""
    return StepLog(tmp_path / "log", None)


def with_parts(folder: Path) -> Plan:
    """Return a plan whose parts are made, small."""
    plan = plan_below(folder)
    for made in (plan.parts, plan.work, plan.staging):
        made.mkdir(parents=True, exist_ok=True)
    for name in ("root.img", "boot.img"):
        (plan.parts / name).write_bytes(os.urandom(16384))
    return plan


def test_keys_are_made_once_and_for_nobody_else_to_read(tmp_path: Path, log: StepLog) -> None:
    signer = Signer(tmp_path / "keys")
    signer.make_development_keys(log)
    key = signer.key.read_bytes()
    signer.make_development_keys(log)
    assert signer.key.read_bytes() == key
    assert stat.S_IMODE(signer.key.stat().st_mode) == 0o600
    assert sorted(path.name for path in (tmp_path / "keys").iterdir()) == [
        "ca.crt",
        "signing.crt",
        "signing.key",
    ]


def test_given_keys_that_are_not_all_there_are_left_alone(tmp_path: Path, log: StepLog) -> None:
    (tmp_path / "ca.crt").write_text("somebody's")
    with pytest.raises(ImageError, match="has some of the signing keys, not all"):
        Signer(tmp_path).make_development_keys(log)
    assert (tmp_path / "ca.crt").read_text() == "somebody's"


def test_a_bundle_is_believed_by_its_own_authority_and_by_no_other(
    tmp_path: Path, log: StepLog
) -> None:
    plan = with_parts(tmp_path / "ours")
    Signer(plan.keys).make_development_keys(log)
    make_bundle(plan, log)
    stranger = Signer(tmp_path / "stranger")
    stranger.make_development_keys(log)
    bundle = plan.staging / f"{plan.name}.raucb"
    for authority, believed in ((Signer(plan.keys), True), (stranger, False)):
        command = ["/usr/bin/rauc", "info", f"--keyring={authority.authority}", str(bundle)]
        told = subprocess.run(command, capture_output=True, check=False)
        assert (told.returncode == 0) == believed


def test_the_certificate_is_for_signing_code(tmp_path: Path, log: StepLog) -> None:
    signer = Signer(tmp_path / "keys")
    signer.make_development_keys(log)
    shown = log.output(
        ["openssl", "x509", "-noout", "-ext", "extendedKeyUsage", "-in", signer.certificate]
    )
    assert "Code Signing" in shown
