"""A unit whose household has settled in, kept as it runs: each case goes on from there."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from allerac_image.emulator import FIRMWARE, FIRMWARE_VARIABLES, Emulator
from tests.image.booted_box import BootedBox
from tests.image.conftest import BuiltImage
from tests.image.emulated_lan import emulated_lan
from tests.image.update_shelf import UpdateShelf, served
from tests.image.updating import wait_for_state, wait_until_proven

SAID = ("Hello", "Thank you")
DISK = "disk.qcow2"
READY = "ready"
INSTALLED = "installed"


@dataclass(frozen=True, slots=True)
class PreparedUnit:
    """The disk and firmware variables of a unit, with the states of it that were kept."""

    folder: Path

    @property
    def disk(self) -> Path:
        """Its disk: what was written since the factory, and the kept states."""
        return self.folder / DISK

    def at(self, state: str, folder: Path, shelf: UpdateShelf) -> AbstractContextManager[BootedBox]:
        """Go on from `state` with a copy of the unit in `folder`, which asks `shelf`."""
        return self._running(folder, shelf, resume=state)

    def started(
        self, folder: Path, shelf: UpdateShelf, clock: datetime
    ) -> AbstractContextManager[BootedBox]:
        """Give a copy of the unit power when its battery-backed clock says `clock`."""
        return self._running(folder, shelf, clock=clock)

    @contextmanager
    def _running(self, folder: Path, shelf: UpdateShelf, **how: Any) -> Iterator[BootedBox]:
        folder.mkdir(parents=True, exist_ok=True)
        for name in (DISK, FIRMWARE_VARIABLES):
            shutil.copyfile(self.folder / name, folder / name)
        with emulated_lan() as lan, served(shelf, lan), Emulator(folder) as emulator:
            box = BootedBox(folder / DISK, emulator, lan)
            box.switch_on(**how)
            box.find()
            box.wait_ready()
            box.sign_in()
            yield box


def settle_in(image: BuiltImage, folder: Path, shelf: UpdateShelf) -> PreparedUnit:
    """Start a unit for the first time, claim it, talk with it, and keep it as it runs."""
    shutil.rmtree(folder, ignore_errors=True)  # what a run that was interrupted left
    folder.mkdir(parents=True)
    unit = PreparedUnit(folder)
    factory = ["-b", str(image.file(".img").resolve()), "-F", "raw"]
    _qemu_img("create", "-q", "-f", "qcow2", *factory, str(unit.disk))
    variables = str(FIRMWARE / FIRMWARE_VARIABLES)
    _qemu_img("convert", "-O", "qcow2", variables, str(folder / FIRMWARE_VARIABLES))
    with emulated_lan() as lan, served(shelf, lan), Emulator(folder) as emulator:
        box = BootedBox(unit.disk, emulator, lan)
        box.switch_on()
        box.find()
        box.claim(box.claim_code())
        box.wait_ready()
        conversation = box.call("POST", "/conversations", {})["id"]
        for text in SAID:
            assert box.follow(box.say(conversation, text)["answer"]["id"])[-1][0] == "done"
        box.call("PATCH", "/updates/settings", {"automatic": False})
        wait_until_proven(box)
        emulator.save(READY)
    return unit


def install(unit: PreparedUnit, folder: Path, shelf: UpdateShelf) -> PreparedUnit:
    """Return a copy of the unit that has installed what is on the shelf, kept as it runs."""
    with unit.at(READY, folder, shelf) as box:
        take(box)
        box.emulator.save(INSTALLED)
    return PreparedUnit(folder)


def take(box: BootedBox) -> None:
    """Find the update and install it."""
    assert box.call("POST", "/updates/check")["state"] == "available"
    box.call("POST", "/updates/install")
    wait_for_state(box, INSTALLED)


def what_was_said(box: BootedBox) -> list[str]:
    """Return what the household said, in every conversation."""
    conversations = box.call("GET", "/conversations")["items"]
    return [
        message["content"]
        for conversation in conversations
        for message in box.call("GET", f"/conversations/{conversation['id']}/messages")["items"]
        if message["role"] == "user"
    ]


def _qemu_img(*words: str) -> None:
    subprocess.run(["/usr/bin/qemu-img", *words], check=True, capture_output=True, timeout=300)
