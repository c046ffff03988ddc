"""Our units, asked of the target's own systemd: are they right, and what could a broken one do."""

import subprocess
from pathlib import Path

import pytest

from tests.provisioning.test_roles import UNITS

OWN_EXPOSURE = 15
"""Tenths; the specification's limit for units of ours."""

FRONT_EXPOSURE = 30
"""Tenths; of nginx, whose first process is root's and listens to the network."""

SERVICES = sorted(path.name.removesuffix(".j2") for path in UNITS if ".service" in path.name)
SYSTEM = "/etc/systemd/system"


def _ask(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/usr/sbin/chroot", root, "systemd-analyze", "--no-pager", *words],
        env={"PATH": "/usr/bin:/usr/sbin", "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_that_is_taken_over_can_do_little(root: Path, service: str) -> None:
    limit = FRONT_EXPOSURE if service == "nginx.service" else OWN_EXPOSURE
    told = _ask(root, "security", "--offline=yes", f"--threshold={limit}", f"{SYSTEM}/{service}")
    assert told.returncode == 0, told.stdout + told.stderr


def test_systemd_understands_every_unit_and_finds_no_cycle(root: Path) -> None:
    names = [f"{SYSTEM}/{path.name.removesuffix('.j2')}" for path in UNITS]
    told = _ask(root, "verify", "--man=no", "--recursive-errors=no", *names)
    assert told.returncode == 0, told.stderr
    assert told.stderr == ""
