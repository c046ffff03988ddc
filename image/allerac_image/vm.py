"""`vm`: an image in QEMU on this machine, reachable from its browser."""

import argparse
import contextlib
import json
import re
import signal
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from types import FrameType
from typing import Any

from allerac.hardware.profile import DiskLayout

from .emulator import Emulator, UserNet, accelerator
from .errors import BadInput, ImageError
from .log import say
from .plan import PROFILES, REPOSITORY
from .tier import load_tier
from .vm_disk import newest_image, occupied, prepare_disk

OUT = REPOSITORY / "out"
MACHINES = REPOSITORY / ".data" / "machines"

HTTP, HTTPS = 8080, 8443
"""Wished ports of this machine for the box's 80 and 443."""

MILESTONES = (
    ("firmware", re.compile(r"BdsDxe: starting Boot")),
    ("kernel", re.compile(r"Linux version")),
    ("system", re.compile(r"Welcome to Debian")),
    ("services", re.compile(r"Starting allerac\.service")),
)
"""What the serial console says on the way up."""

CLAIM_CODE = re.compile(r"[Cc]laim code:\s+(\S+)\s")
FAILED = re.compile(r"\[FAILED\] (.+)")
MIN_MEMORY_MB = 1024
LOOK_SECONDS = 1.0
START_SECONDS = 900.0
"""A start takes about 120 seconds of an idle core; neighbours make it longer."""
SHUTDOWN_SECONDS = 180.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what `vm` understands."""
    parser.add_argument("--tier", default="vm", help="whose image to start (vm)")
    parser.add_argument("--image", type=Path, help="another image than the newest of the tier")
    parser.add_argument("--fresh", action="store_true", help="forget what the machine has kept")
    parser.add_argument("--memory-mb", type=int, default=2048, help="memory in MiB (2048)")


def run(
    arguments: argparse.Namespace,
    *,
    out: Path = OUT,
    machines: Path = MACHINES,
    machine: Callable[[Path], Emulator] = Emulator,
) -> int:
    """Start the machine and stay until it ends; returns the exit status."""
    tier = load_tier(arguments.tier, PROFILES)
    if arguments.memory_mb < MIN_MEMORY_MB:
        raise BadInput(f"A machine needs {MIN_MEMORY_MB} MiB of memory at least.")
    capacity_bytes = DiskLayout.model_validate(tier.disk).capacity_bytes
    image = arguments.image or newest_image(out, tier.id)
    if "vnni" in tier.profile["engine"]["build"]["variant"] and "tcg" in accelerator()[1]:
        say(
            "  Emulated processors lack AVX-VNNI: wizard and pages work, this tier's models do not."
        )
    with occupied(machines / tier.id) as folder:
        disk = prepare_disk(image, folder, capacity_bytes, fresh=arguments.fresh)
        return attend(machine(folder), disk, arguments.memory_mb)


def attend(emulator: Emulator, disk: Path, memory_mb: int) -> int:
    """Run the machine, tell how its start goes and end it in order at Ctrl-C."""
    http, https = free_port(HTTP), free_port(HTTPS)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    with emulator:
        emulator.start(disk, network=UserNet({http: 80, https: 443}), memory_mb=memory_mb)
        say(
            f"▸ Starting the box. Emulation takes minutes; Ctrl-C shuts it down.\n"
            f"  Console: {emulator.folder / 'serial.log'}"
        )
        start = Start(emulator, http, https)
        try:
            start.follow()
        except KeyboardInterrupt:
            shut_down(emulator)
        else:
            say(f"  The box is off. {emulator.complaint}".rstrip())
    return 0


def free_port(wished: int) -> int:
    """Return `wished` when nobody listens there on the loopback, else a port that is free."""
    for port in (wished, 0):
        with socket.socket() as listener, contextlib.suppress(OSError):
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", port))
            return int(listener.getsockname()[1])
    raise ImageError("No port of 127.0.0.1 is free.")


@dataclass(slots=True)
class Start:
    """A start as it is told: each thing once, with the seconds since power."""

    emulator: Emulator
    http: int
    https: int
    began: float = field(default_factory=time.monotonic)
    told: set[str] = field(default_factory=set)

    def follow(self) -> None:
        """Tell what happens until the machine has no power any more."""
        while self.emulator.running:
            self.look()
            if not self.told & {"answer", "late"} and self._seconds > START_SECONDS:
                self.told.add("late")
                say(f"  Still no answer; see {self.emulator.folder / 'serial.log'}")
            time.sleep(LOOK_SECONDS)

    def look(self) -> None:
        """Tell what is new on the console and at the door."""
        console = self.emulator.serial
        for name, pattern in MILESTONES:
            if name not in self.told and pattern.search(console):
                self._tell(name, name)
        for failure in FAILED.findall(console):
            if failure not in self.told:
                self._tell(failure, failure)
        if "answer" not in self.told and (status := self._status()) is not None:
            self._tell("answer", "box answers" if status.get("claimed") else "wizard answers")
            say(f"\n  {self._address}  (or https://127.0.0.1:{self.https})")
        code = CLAIM_CODE.search(console)
        if "answer" in self.told and "code" not in self.told and code is not None:
            self.told.add("code")
            say(f"  Claim code: {code[1]}")

    @property
    def _address(self) -> str:
        return f"http://127.0.0.1:{self.http}"

    @property
    def _seconds(self) -> float:
        return time.monotonic() - self.began

    def _tell(self, name: str, text: str) -> None:
        self.told.add(name)
        say(f"  {self._seconds:4.0f} s  {text}")

    def _status(self) -> dict[str, Any] | None:
        """Return what the box says of itself, None while the runtime behind its proxy does not."""
        door = HTTPConnection("127.0.0.1", self.http, timeout=5)
        with contextlib.closing(door), contextlib.suppress(OSError, ValueError, HTTPException):
            door.request("GET", "/api/v1/status")
            answer = door.getresponse()
            if answer.status == HTTPStatus.OK:
                status: dict[str, Any] = json.load(answer)
                return status
        return None


def shut_down(emulator: Emulator) -> None:
    """Press the power button and wait; a second Ctrl-C, or too long a wait, cuts the power."""
    try:
        say("\n▸ Shutting down; Ctrl-C again cuts the power.")
        emulator.power_button()
        emulator.wait_ended(SHUTDOWN_SECONDS)
    except KeyboardInterrupt:
        say("  Power cut.")
    except ImageError as error:
        say(f"  Power cut: {str(error).splitlines()[0]}")


def _leave(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)
