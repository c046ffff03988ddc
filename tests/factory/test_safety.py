"""What a station must never do, seen from outside of it: by the kernel's own record."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from allerac_factory.cli import main
from allerac_factory.drives import SystemDrives
from allerac_factory.gpt import MIB

from .workshop import QUICK, Workshop

OPENED = re.compile(r'open(?:at2?)?\((?:AT_FDCWD, )?"([^"]+)", (?:\{flags=)?([A-Z_|]+)')
WRITING = ("O_WRONLY", "O_RDWR", "O_TRUNC", "O_CREAT")
HARMLESS = re.compile(r"/dev/(null|tty|pts/|shm/|urandom|random|ptmx|full|zero|fd/)")
SECONDS = 300


def written_to(trace: str) -> list[tuple[str, list[str]]]:
    """Return path and flags of all that a traced program opened to write."""
    found = [(path, flags.split("|")) for path, flags in OPENED.findall(trace)]
    return [(path, flags) for path, flags in found if set(flags) & set(WRITING)]


def opened_for_writing(trace: str) -> set[str]:
    """Return the devices among them."""
    paths = {path for path, _ in written_to(trace)}
    return {path for path in paths if path.startswith("/dev/") and not HARMLESS.match(path)}


def traced(workshop: Workshop, *words: str) -> str:
    """Run the station's command under strace(1) with its children; return the trace."""
    if shutil.which("strace") is None:
        pytest.skip("needs strace")
    log = workshop.folder / "trace"
    watch = ["strace", "-f", "-qq", "-e", "trace=open,openat,openat2,creat", "-o", str(log)]
    subprocess.run(
        [*watch, sys.executable, "-m", "allerac_factory", *words],
        check=False,
        capture_output=True,
        timeout=SECONDS,
    )
    return log.read_text(errors="replace")


def test_system_drive_is_never_opened_for_writing(workshop: Workshop) -> None:
    system = [drive for drive in SystemDrives().find() if drive.is_system]
    if not system:
        pytest.skip("this machine runs from no drive that can be seen")
    targets = [{"path": str(system[0].path)}]
    workshop.drives.mkdir()
    job = workshop.job(targets=targets, count=1)
    assert opened_for_writing(traced(workshop, *workshop.station_words(job))) == set()
    (refusal,) = [act for act in workshop.acts() if act.act == "refused"]
    assert "this machine runs from it" in refusal.observed["reasons"]


def test_writing_practice_drives_opens_no_device_and_passes_the_page_cache(
    workshop: Workshop,
) -> None:
    drive = workshop.drive("WD1").resolve()
    trace = traced(workshop, *workshop.flash_words(workshop.job()))
    assert opened_for_writing(trace) == set()
    assert workshop.units()["ALR-VM-000001"].is_finished
    opened = [flags for path, flags in written_to(trace) if path == str(drive)]
    by_station = [flags for flags in opened if "O_CLOEXEC" in flags]
    assert by_station
    assert all("O_DIRECT" in flags for flags in by_station)
    assert [flags for flags in opened if flags not in by_station] == [["O_RDWR"]], "fallocate(1)"


def test_tracing_sees_what_is_opened_for_writing() -> None:
    line = '12 openat(AT_FDCWD, "/dev/sdb", O_RDWR|O_EXCL|O_DIRECT|O_CLOEXEC) = 3'
    assert opened_for_writing(line) == {"/dev/sdb"}
    newer = '12 openat2(AT_FDCWD, "/dev/sdc", {flags=O_RDWR|O_CLOEXEC, resolve=0}, 24) = 3'
    assert opened_for_writing(newer) == {"/dev/sdc"}
    assert opened_for_writing('openat(AT_FDCWD, "/dev/vda", O_RDONLY) = 3') == set()


def _losetup(*words: str) -> str:
    done = subprocess.run(
        ["losetup", *words],  # noqa: S607  the system's own
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    if done.returncode != 0:
        pytest.skip(f"loop devices are not allowed here: {done.stderr.strip()}")
    return done.stdout.strip()


@pytest.fixture
def loops(tmp_path: Path) -> Iterator[list[Path]]:
    """Two block devices: one good, one on a file system that is full after 40 MiB."""
    if os.geteuid() != 0:
        pytest.skip("block devices are made by root")
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={40 * MIB}", "tmpfs", str(small)],  # noqa: S607 - the tool of the distribution
        check=False,
        capture_output=True,
    )
    if mounted.returncode != 0:
        pytest.skip("file systems cannot be mounted here")
    devices: list[Path] = []
    try:
        for file in (tmp_path / "good", small / "bad"):
            with file.open("wb") as made:
                made.truncate(4_882_816 * 512)
            devices.append(Path(_losetup("--find", "--show", str(file))))
        yield devices
    finally:
        for device in devices:
            _losetup("--detach", str(device))
        with suppress(OSError):
            subprocess.run(["umount", str(small)], check=False)  # noqa: S607  as above


def test_block_devices_are_written_and_a_bad_sector_loses_one_of_them(
    workshop: Workshop, loops: list[Path]
) -> None:
    """The second device answers as a worn-out drive does: with an error of its own."""
    workshop.drives.mkdir()
    targets = [{"path": str(device)} for device in loops]
    job = workshop.job(targets=targets, count=2)
    trace = traced(workshop, *workshop.station_words(job))
    assert opened_for_writing(trace) == set(map(str, loops)), "and nothing else of this machine"
    good, bad = workshop.units().values()
    assert good.stage == "ready"
    assert (bad.stage, bad.facts["cause"]) == ("failed", "drive error")
    verified = subprocess.run(
        ["sfdisk", "--verify", str(loops[0])],  # noqa: S607  the system's own
        capture_output=True,
        text=True,
        check=True,
    )
    assert "No errors detected" in verified.stdout


def test_mounted_block_device_is_refused_by_name_and_by_the_kernel(
    workshop: Workshop, loops: list[Path], tmp_path: Path
) -> None:
    device = loops[0]
    place = tmp_path / "mounted"
    place.mkdir()
    subprocess.run(["mke2fs", "-q", "-F", str(device)], check=True, capture_output=True)  # noqa: S607 - the tool of the distribution
    subprocess.run(["mount", str(device), str(place)], check=True)  # noqa: S607  as above
    try:
        (found,) = [drive for drive in SystemDrives().find() if drive.path == device]
        assert str(place) in found.mounted
        with pytest.raises(OSError, match="busy"):
            SystemDrives().open(found)
        workshop.drives.mkdir()
        job = workshop.job(targets=[{"path": str(device)}], count=1)
        assert main(workshop.station_words(job), QUICK) == 1
    finally:
        subprocess.run(["umount", str(place)], check=True)  # noqa: S607  as above
    (refusal,) = [act for act in workshop.acts() if act.act == "refused"]
    assert refusal.observed["reasons"] == [f"mounted at {place}"]
