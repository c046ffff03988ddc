"""`allerac console` on a real terminal, and on a line that is none."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from allerac.appliance import burn_in_view
from allerac.appliance.console import Sight, see
from allerac.appliance.view import FILE_NAME, write_view

from .test_screen import CLAIMED, SCREEN, UNCLAIMED

ROLE = Path(__file__).resolve().parents[3] / "provisioning/roles/console"
SECONDS = 30
CLEAR = "\x1b[2J"


@dataclass(slots=True)
class Watched:
    """What a terminal has received so far."""

    process: subprocess.Popen[bytes]
    descriptor: int
    seen: str = ""

    def wait_for(self, text: str) -> str:
        """Return what came until `text` was there, and forget it."""
        end = time.monotonic() + SECONDS
        while text not in self.seen:
            assert time.monotonic() < end, self.seen
            if select.select([self.descriptor], [], [], 1)[0]:
                self.seen += os.read(self.descriptor, 65536).decode(errors="replace")
        before, _, self.seen = self.seen.partition(text)
        return before + text


@contextmanager
def console(folder: Path, kind: str, data: Path | None = None) -> Iterator[Watched]:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 25, 80, 0, 0))
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "allerac", "console"),
            f"--view={folder / FILE_NAME}",
            f"--data-dir={folder if data is None else data}",
            f"--burn-in={folder / burn_in_view.FILE_NAME}",
        ],
        env={**os.environ, "TERM": kind},
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    try:
        yield Watched(process, ours)
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def test_screen_follows_the_box_from_start_to_claim(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    with console(tmp_path, "linux") as screen:
        screen.wait_for("starting")
        write_view(path, UNCLAIMED)
        drawn = screen.wait_for("claim code: K7QM-4XWP")
        assert CLEAR in drawn
        assert "█" in drawn
        write_view(path, CLAIMED)
        assert "claim code" not in screen.wait_for("* Ready")
        path.unlink()
        screen.wait_for("starting")


def test_new_address_is_drawn(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    write_view(path, UNCLAIMED)
    with console(tmp_path, "vt220") as screen:
        screen.wait_for("http://192.168.178.120")
        write_view(path, replace(UNCLAIMED, addresses=("10.0.0.9",)))
        screen.wait_for("http://10.0.0.9")


def test_line_that_cannot_erase_gets_plain_lines_once(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    write_view(path, UNCLAIMED)
    with console(tmp_path, "dumb") as serial:
        first = serial.wait_for("Waiting for its owner")
        assert re.search(r"^\s*claim code: K7QM-4XWP\r?$", first, re.MULTILINE)
        assert "\x1b" not in first
        write_view(path, CLAIMED)
        assert "claim code" not in serial.wait_for("* Ready")


def test_console_is_stopped_by_its_unit(tmp_path: Path) -> None:
    with console(tmp_path, "linux") as screen:
        screen.wait_for("starting")
        screen.process.send_signal(signal.SIGTERM)
        assert screen.process.wait(SECONDS) == -signal.SIGTERM


def test_console_needs_to_know_its_box() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "allerac", "console"],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 2
    assert "--view" in done.stderr


def test_console_does_not_hold_the_runtime_in_memory() -> None:
    question = (
        "import allerac.cli, allerac.appliance.console, sys\n"
        "heavy = {'fastapi', 'pydantic', 'sqlalchemy', 'zeroconf', 'cryptography'}\n"
        "print(*heavy & set(sys.modules))\n"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", question],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=True,
    )
    assert loaded.stdout.strip() == ""


def test_disk_that_cannot_be_read_is_told_until_it_is_back(tmp_path: Path) -> None:
    data = tmp_path / "data" / "allerac"
    with console(tmp_path, "linux", data) as screen:
        screen.wait_for("The disk with your data cannot be read.")
        data.mkdir(parents=True)
        screen.wait_for("starting")


def test_runtime_that_tells_of_itself_is_believed_before_the_disk(tmp_path: Path) -> None:
    write_view(tmp_path / FILE_NAME, CLAIMED)
    sight = Sight(tmp_path / FILE_NAME, tmp_path / "nowhere", lambda: ["192.168.178.120"])
    assert "* Ready" in "\n".join(see(sight, SCREEN))


@pytest.mark.parametrize("in_its_place", ["nothing", "a file", "a link to nothing"])
def test_whatever_stands_in_place_of_the_data_the_rescue_page_is_named(
    tmp_path: Path, in_its_place: str
) -> None:
    data = tmp_path / "allerac"
    if in_its_place == "a file":
        data.write_bytes(b"")
    elif in_its_place == "a link to nothing":
        data.symlink_to(tmp_path / "gone")
    sight = Sight(tmp_path / FILE_NAME, data, lambda: ["192.168.178.120"])
    assert "http://192.168.178.120/rescue/" in "\n".join(see(sight, SCREEN))


def test_unit_shows_what_runtime_and_burn_in_tell() -> None:
    unit = (ROLE / "files/etc/systemd/system/allerac-console@.service").read_text()
    runtime = (ROLE.parent / "runtime/templates/etc/allerac/allerac.env.j2").read_text()
    told = dict(re.findall(r"^ALLERAC_(\w+)=(\S+)$", runtime, re.MULTILINE))
    words = dict(re.findall(r" --([a-z-]+)=(\S+)", unit))
    assert words == {
        "data-dir": told["DATA_DIR"],
        "view": str(Path(told["SOCKET"]).with_name(FILE_NAME)),
        "burn-in": str(Path(told["OFFERED_CERTIFICATE"]).with_name(burn_in_view.FILE_NAME)),
    }


def test_screen_starts_without_the_disk_of_which_it_tells() -> None:
    unit = (ROLE / "files/etc/systemd/system/allerac-console@.service").read_text()
    wants = [line for line in unit.splitlines() if re.match(r"(Requires|BindsTo|Wants)", line)]
    assert wants == []
    assert re.search(r"^After=.*\blocal-fs\.target\b", unit, re.MULTILINE)
