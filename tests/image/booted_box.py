"""A box that runs in the emulator, and what a person does with it from the network."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from allerac_image.emulator import Emulator, Tap
from tests.image.emulated_lan import TAP, EmulatedLan, emulated_lan
from tests.image.offline_disk import sparse_copy

PASSWORD = "three quiet lanterns"  # noqa: S105 - made up
START_SECONDS = 600
"""From power to the wizard takes 2 to 4 minutes on an idle core; neighbours make it longer."""
MEMORY_MB = 2048
NAME_SECONDS = 60
OFF_SECONDS = 240
API = "/api/v1"
CLAIM_CODE = re.compile(r"[Cc]laim code:\s+(\S+)\s")


@dataclass(slots=True)
class BootedBox:
    """The emulated machine, its disk and network, and the address that it announced."""

    disk: Path
    emulator: Emulator
    lan: EmulatedLan
    address: str = ""

    def switch_on(
        self, *, sector_bytes: int = 512, clock: datetime | None = None, resume: str = ""
    ) -> None:
        """Give it power; `clock` is what its battery-backed clock says.

        With `resume` it goes on from a state of that name that the emulator kept.
        """
        self.emulator.start(
            self.disk,
            network=Tap(TAP),
            prefix=self.lan.prefix,
            memory_mb=MEMORY_MB,
            sector_bytes=sector_bytes,
            clock=clock,
            resume=resume,
        )

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

    def request(self, method: str, path: str, **order: Any) -> dict[str, Any]:
        """Ask as a program that knows the address."""
        url = f"http://{self.address}{path}"
        answer: dict[str, Any] = self.lan.ask("request", method=method, url=url, **order)
        return answer

    def page(self, path: str, host: str) -> dict[str, Any]:
        """Ask as a browser that found the box under `host`."""
        return self.request("GET", path, headers={"Host": host, "Accept": "text/html"})

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Call the API, which has to say yes; returns the body of its answer."""
        answer = self.request(method, API + path, json=body)
        assert 200 <= answer["status"] < 300, answer
        return answer["body"]

    def wait_ready(self) -> None:
        """Wait until a model is loaded."""
        deadline = time.monotonic() + START_SECONDS
        while self.request("GET", "/readyz")["status"] != 200:
            assert time.monotonic() < deadline, self.request("GET", "/readyz")
            time.sleep(1)

    def wait_for_name(self, name: str) -> list[str]:
        """Wait until the box has probed for `name` and announced it; returns all its names."""
        deadline = time.monotonic() + NAME_SECONDS
        while True:
            names: list[str] = self.call("GET", "/box")["names"]
            if name in names:
                return names
            assert time.monotonic() < deadline, names
            time.sleep(1)

    def claim(self, code: str) -> None:
        """Go through the wizard."""
        steps: list[tuple[str, str, Any]] = [
            ("PUT", "language", {"language": "en"}),
            ("POST", "claim", {"code": code}),
            ("PUT", "owner", {"name": "Ana", "password": PASSWORD}),
            ("PUT", "recovery-saved", None),
            ("PUT", "box", {"name": "Kitchen", "time_zone": "Europe/Berlin"}),
            ("PUT", "model", {"model_id": "allerac-demo", "download": False}),
            ("PUT", "privacy", {"automatic_updates": True, "update_hour": 3}),
            ("POST", "finish", None),
        ]
        for method, step, body in steps:
            self.call(method, f"/onboarding/{step}", body)

    def sign_in(self) -> None:
        """Sign in as the owner."""
        self.call("POST", "/session", {"name": "Ana", "password": PASSWORD})

    def say(self, conversation: str, text: str) -> dict[str, Any]:
        """Send a message; returns what the box acknowledged."""
        body = {"content": text, "client_id": text[:64], "parent_id": None}
        sent: dict[str, Any] = self.call("POST", f"/conversations/{conversation}/messages", body)
        return sent

    def follow(self, answer: str, until: str = "") -> list[tuple[str, Any]]:
        """Follow an answer to its end or to the first event of kind `until`."""
        url = f"http://{self.address}{API}/generations/{answer}/events"
        events: list[tuple[str, Any]] = self.lan.ask("events", url=url, until=until)
        return events


@contextmanager
def flashed_unit(image: Path, folder: Path) -> Iterator[BootedBox]:
    """A unit whose disk is a copy of `image`, on a network of its own, still without power."""
    disk = sparse_copy(image, folder / "disk.img")
    with emulated_lan() as lan, Emulator(folder) as emulator:
        yield BootedBox(disk, emulator, lan)
