"""Our units, asked of the target's own systemd: are they right, and what could a broken one do."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.provisioning.test_roles import UNITS

OWN_EXPOSURE = 15
"""Tenths; the specification's limit for units of ours."""

DEBIANS = {"NetworkManager.service": 40, "rauc.service": 45}
"""Tenths; they write partitions, mount, and configure links: Debian's own units have 80 and 96."""

SERVICES = sorted(path.name.removesuffix(".j2") for path in UNITS if ".service" in path.name)
SYSTEM = "/etc/systemd/system"


def _ask(root: Path, *words: str, units: str = "") -> subprocess.CompletedProcess[str]:
    """Ask systemd-analyze; `units` are folders before the usual ones."""
    return subprocess.run(
        ["/usr/sbin/chroot", root, "systemd-analyze", "--no-pager", *words],
        env={"PATH": "/usr/bin:/usr/sbin", "LANG": "C.UTF-8", "SYSTEMD_UNIT_PATH": f"{units}:"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def mounts(root: Path) -> Iterator[str]:
    """The folder, in the root, of the units that systemd makes of its fstab."""
    folder = root / "tmp/mounts"
    folder.mkdir()
    inside = f"/{folder.relative_to(root)}"
    generator = "/usr/lib/systemd/system-generators/systemd-fstab-generator"
    command = ["/usr/sbin/chroot", str(root), generator, inside, inside, inside]
    subprocess.run(command, check=True, capture_output=True)
    yield inside
    shutil.rmtree(folder)


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_that_is_taken_over_can_do_little(root: Path, service: str) -> None:
    words = ("security", "--offline=yes", f"--threshold={OWN_EXPOSURE}")
    told = _ask(root, *words, f"{SYSTEM}/{service}")
    assert told.returncode == 0, told.stdout + told.stderr


@pytest.mark.parametrize("service", DEBIANS)
def test_a_service_of_debians_has_given_up_what_it_does_not_need(root: Path, service: str) -> None:
    words = ("security", "--offline=yes", f"--threshold={DEBIANS[service]}")
    told = _ask(root, *words, service)
    assert told.returncode == 0, told.stdout + told.stderr


def test_systemd_understands_every_unit(root: Path) -> None:
    names = [f"{SYSTEM}/{path.name.removesuffix('.j2')}" for path in UNITS]
    told = _ask(root, "verify", "--man=no", "--recursive-errors=no", *names)
    assert (told.returncode, told.stderr) == (0, "")


def test_every_program_that_a_unit_starts_is_on_board(root: Path) -> None:
    """`systemd-analyze verify` looks at ExecStart alone."""
    for path in UNITS:
        for name in re.findall(r"^Exec\w+=[-+!@:]*(/\S+)", path.read_text("utf-8"), re.MULTILINE):
            assert (root / name[1:]).exists(), f"{path.name}: {name}"


def test_udev_understands_the_rule_for_drives(root: Path) -> None:
    command = ["/usr/sbin/chroot", str(root), "udevadm", "verify", "/etc/udev/rules.d"]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout + told.stderr


def test_no_two_units_of_the_whole_start_wait_for_each_other(root: Path, mounts: str) -> None:
    told = _ask(root, "verify", "--man=no", "default.target", units=mounts)
    assert "ordering cycle" not in told.stderr
    assert told.returncode == 0, told.stderr


def test_a_cycle_would_be_found(root: Path, mounts: str) -> None:
    drop_in = root / mounts[1:] / "allerac-state.service.d"
    drop_in.mkdir()
    (drop_in / "cycle.conf").write_text("[Unit]\nAfter=local-fs.target\n")
    told = _ask(root, "verify", "--man=no", "default.target", units=mounts)
    assert "ordering cycle" in told.stderr


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_no_unit_ends_with_a_mount_that_ends_when_nobody_uses_it(unit: Path) -> None:
    wanted = re.findall(r"^(?:RequiresMountsFor|BindsTo|Requires)=(.*)$", unit.read_text(), re.M)
    assert not {"/efi", "efi.mount"} & {word for line in wanted for word in line.split()}


def test_a_start_goes_on_without_the_data_partition(root: Path, mounts: str) -> None:
    folder = root / mounts[1:]
    assert (folder / "local-fs.target.requires/var.mount").is_symlink()
    assert not list(folder.glob("*.requires/data.mount"))
    told = _ask(root, "verify", "--man=no", "allerac-state.service", units=mounts)
    assert told.returncode == 0, told.stderr
    state = (root / "etc/systemd/system/allerac-state.service").read_text()
    assert "WantsMountsFor=/data\n" in state
    assert "RequiresMountsFor" not in state


def test_partitions_are_checked_grown_and_mounted_before_what_needs_them(
    root: Path, mounts: str
) -> None:
    folder = root / mounts[1:]
    assert (folder / "data.mount.wants/systemd-growfs@data.service").is_symlink()
    assert "systemd-fsck@" in (folder / "data.mount").read_text()
    assert "allerac-state.service" in (folder / "var.mount").read_text()
    assert "Before=local-fs.target" in (folder / "var.mount").read_text()
    assert not (folder / "local-fs.target.requires/efi.mount").exists()
