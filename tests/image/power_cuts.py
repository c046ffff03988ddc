"""The moments at which the power of a box is cut: when, how often, and what leads there."""

import random
import time
from collections.abc import Callable, Mapping
from typing import Final

from tests.image.booted_box import BootedBox
from tests.image.prepared_unit import INSTALLED
from tests.image.update_shelf import UpdateShelf
from tests.image.updating import INSTALL_SECONDS, STARTED, VERDICT_SECONDS
from tests.image.visited_box import API

RESTARTED: Final = r"reboot: Restarting system"
FETCHED_BYTES: Final = 10_000_000
"""About what an update of one file fetches."""

LeadThere = Callable[[BootedBox, UpdateShelf, random.Random], None]


def state_of(box: BootedBox) -> str:
    """Return the state of the update; nothing while nobody answers."""
    answer = box.request("GET", f"{API}/updates", seconds=10)
    return str(answer["body"]["state"]) if answer["status"] == 200 else ""


def until(happened: Callable[[], bool], seconds: float = INSTALL_SECONDS) -> None:
    """Wait until it has happened."""
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.5)


def _while_downloading(box: BootedBox, shelf: UpdateShelf, chance: random.Random) -> None:
    before, wanted = shelf.sent_bytes(), chance.randrange(FETCHED_BYTES)
    box.call("POST", "/updates/check")
    box.call("POST", "/updates/install")
    until(lambda: shelf.sent_bytes() - before >= wanted or state_of(box) == INSTALLED)


def _while_installing(box: BootedBox, _: UpdateShelf, chance: random.Random) -> None:
    wanted = chance.randrange(30, 100)
    box.call("POST", "/updates/check")
    box.call("POST", "/updates/install")

    def far_enough() -> bool:
        seen = box.call("GET", "/updates")
        progress = seen["progress"]
        return seen["state"] == INSTALLED or (progress is not None and progress["percent"] > wanted)

    until(far_enough)


def _while_switching(box: BootedBox, _: UpdateShelf, chance: random.Random) -> None:
    box.call("POST", "/updates/restart")
    _let_pass(chance.uniform(0, 15))


def _while_booting_it(box: BootedBox, _: UpdateShelf, chance: random.Random) -> None:
    box.call("POST", "/updates/restart")
    box.emulator.wait_for_serial(STARTED, VERDICT_SECONDS)
    _let_pass(chance.uniform(0, 120))


def _while_it_proves_itself(box: BootedBox, _: UpdateShelf, chance: random.Random) -> None:
    box.call("POST", "/updates/restart")
    box.emulator.wait_for_serial(STARTED, VERDICT_SECONDS)
    until(lambda: state_of(box) in {"proving", "good"}, VERDICT_SECONDS)
    _let_pass(chance.uniform(0, 20))


def _while_going_back(box: BootedBox, _: UpdateShelf, chance: random.Random) -> None:
    box.call("POST", "/updates/restart")
    gone = box.emulator.wait_for_serial(RESTARTED, VERDICT_SECONDS)
    box.emulator.wait_for_serial(RESTARTED, VERDICT_SECONDS, after=gone.end())
    _let_pass(chance.uniform(0, 120))


def _let_pass(seconds: float) -> None:
    """Wait for the moment of the cut, which is to be any."""
    time.sleep(seconds)


CUTS: Final[Mapping[str, tuple[int, LeadThere]]] = {
    "download": (4, _while_downloading),
    "install": (4, _while_installing),
    "switch": (3, _while_switching),
    "first boot": (3, _while_booting_it),
    "proving": (3, _while_it_proves_itself),
    "rollback": (3, _while_going_back),
}
"""When the power is cut → how often, and what leads there."""
