"""A box that runs in the emulator, and what a person does with it from the network."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from allerac_image.emulator import Emulator, Tap
from tests.image.emulated_lan import TAP, EmulatedLan, emulated_lan
from tests.image.offline_disk import sparse_copy
from tests.image.visited_box import START_SECONDS, VisitedBox

MEMORY_MB = 2048
OFF_SECONDS = 240
FIRST = -10
"""Niceness, of -20 to 19."""
CLAIM_CODE = re.compile(r"[Cc]laim code:\s+(\S+)\s")


@dataclass(slots=True)
class BootedBox(VisitedBox):
    """The emulated machine, its disk and network, and the address that it announced."""

    disk: Path
    emulator: Emulator
    lan: EmulatedLan
    address: str = ""

    def switch_on(
        self,
        *,
        sector_bytes: int = 512,
        clock: datetime | None = None,
        resume: str = "",
        nvme: Path | None = None,
    ) -> None:
        """Give it power; `clock` is what its battery-backed clock says, `nvme` a second disk.

        With `resume` it goes on from a state of that name that the emulator kept.
        """
        self.emulator.start(
            self.disk,
            network=Tap(TAP),
            prefix=("nice", "-n", str(FIRST), *self.lan.prefix),
            memory_mb=MEMORY_MB,
            sector_bytes=sector_bytes,
            clock=clock,
            resume=resume,
            nvme=nvme,
        )
        _favour(self.emulator.pid)

    def switch_off(self) -> None:
        """Press the power button and wait."""
        self.emulator.power_button()
        self.emulator.wait_ended(OFF_SECONDS)

    def claim_code(self) -> str:
        """Read the code from the console, as its owner does."""
        return self.emulator.wait_for_serial(CLAIM_CODE, START_SECONDS)[1]

    def find(self, seconds: float = START_SECONDS) -> dict[str, Any]:
        """Wait until the box announces itself, as an app or a browser waits for it."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            assert self.emulator.running, self.emulator.serial[-4000:]
            boxes: list[dict[str, Any]] = self.lan.ask("find", seconds=5)
            for box in boxes:
                if box["addresses"]:
                    self.address = box["addresses"][0]
                    return box
        raise AssertionError(f"no box announced itself:\n{self.emulator.serial[-4000:]}")

    def ask(self, do: str, **order: Any) -> Any:
        """Give an order to the visitor."""
        return self.lan.ask(do, **order)


def words_of(events: list[tuple[str, Any]]) -> str:
    """Return the text of an answer."""
    return "".join(data["text"] for kind, data in events if kind == "delta")


def _favour(pid: int) -> None:
    """Let a session compute first, where that is allowed: its clock goes on while others do.

    Each session has a weight of its own; only inside of it niceness counts (sched(7), autogroup).
    """
    with suppress(OSError):
        Path(f"/proc/{pid}/autogroup").write_text(str(FIRST))


@contextmanager
def flashed_unit(image: Path, folder: Path) -> Iterator[BootedBox]:
    """A unit whose disk is a copy of `image`, on a network of its own, still without power."""
    disk = sparse_copy(image, folder / "disk.img")
    with emulated_lan() as lan, Emulator(folder) as emulator:
        yield BootedBox(disk, emulator, lan)
