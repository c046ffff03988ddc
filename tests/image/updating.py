"""What a person sees of an update on a booted box, also while the box restarts."""

import time
from typing import Any

from tests.image.booted_box import BootedBox
from tests.image.visited_box import API

INSTALL_SECONDS = 1200
"""Reading both slots for the first time, by an emulated processor, takes most of it."""

STARTED = r"Linux version"
LOOK_SECONDS = 120
PROOF_SECONDS = 1200
VERDICT_SECONDS = 2400
"""Two starts, and between them the time that a system may take to prove itself."""


def installed_version(box: BootedBox) -> str:
    """Return the version that runs."""
    return str(box.call("GET", "/updates")["installed"])


def wait_for_state(box: BootedBox, wanted: str, seconds: float = INSTALL_SECONDS) -> None:
    """Wait until an update is that far; it must not fail on the way."""
    deadline = time.monotonic() + seconds
    while True:
        seen = box.call("GET", "/updates")
        if seen["state"] == wanted:
            return
        assert seen["reason"] is None, seen
        assert time.monotonic() < deadline, seen
        time.sleep(2)


def wait_until_proven(box: BootedBox, *, after: int = 0) -> None:
    """Wait until the gate has marked the system that was just booted as one to come back to.

    With `after` what the console said before that is of an earlier start.
    """
    box.emulator.wait_for_serial(r"Finished allerac-prove\.service", PROOF_SECONDS, after=after)


def wait_for_way_back(box: BootedBox, seconds: float = LOOK_SECONDS) -> str:
    """Wait until the box has looked at its other slot; return the version that is in it."""
    deadline = time.monotonic() + seconds
    while (version := box.call("GET", "/updates")["other_version"]) is None:
        assert time.monotonic() < deadline
        time.sleep(1)
    return str(version)


def wait_for_verdict(box: BootedBox, seconds: float = VERDICT_SECONDS) -> dict[str, Any]:
    """Wait, through restarts, until the newest update has ended; return its line of history."""
    deadline = time.monotonic() + seconds
    answer: dict[str, Any] = {}
    while time.monotonic() < deadline:
        assert box.emulator.running, box.emulator.serial[-4000:]
        answer = box.request("GET", f"{API}/updates/history", seconds=10)
        newest = answer["body"]["items"][0] if answer["status"] == 200 else {"result": None}
        if newest["result"] is not None:
            return dict(newest)
        time.sleep(3)
    raise AssertionError(f"{answer}\n{box.emulator.serial[-4000:]}")
