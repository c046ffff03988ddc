"""A box whose heat is recorded and whose disk is small; all else is the target's own system."""

import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import (
    APIRequestContext,
    APIResponse,
    Browser,
    BrowserContext,
    sync_playwright,
)

from tests.browser.chromium import start_chromium
from tests.provisioning.namespaces import inside
from tests.provisioning.own_system import OwnSystem, running_system
from tests.recorded_machine import MachineTime, RecordedMachine

URL = "http://127.0.0.1"
PASSWORD = "three quiet lanterns"  # noqa: S105 - made up
START_SECONDS = 120.0
FASTER = 40.0
"""The recorded machine's seconds in one of ours."""

RUNTIME = 970
"""The fixed number of its user and group."""

HANGS_SECONDS = 15
SMALL_DISK = "[Mount]\nWhat=tmpfs\nWhere=/data\nType=tmpfs\nOptions=size=256m,mode=755\n"
OURS = f"""[Service]
Environment=ALLERAC_SENSORS_ROOT=/run/recorded
Environment=ALLERAC_SAMPLE_SECONDS={10 / FASTER}
WatchdogSec={HANGS_SECONDS}
TimeoutAbortSec=1
"""
CLAIM_CODE = re.compile(r"[Cc]laim code:?\s+\S*([0-9A-Z]{4}-[0-9A-Z]{4})")


@dataclass(frozen=True, slots=True)
class CaredBox:
    """The system, and the machine that its sensors see, with its time."""

    system: OwnSystem
    machine: RecordedMachine
    time: MachineTime

    @property
    def downloads(self) -> Path:
        return Path(f"/proc/{self.system.pid}/root/data/allerac/downloads")

    def fill_the_disk(self) -> None:
        """Have a download that was never finished take all room, between two looks at the disk."""
        self.downloads.mkdir(exist_ok=True)
        os.chown(self.downloads, RUNTIME, RUNTIME)
        self._tell_the_runtime("STOP")
        with (self.downloads / "half").open("ab", buffering=0) as file, suppress(OSError):
            while file.write(bytes(1 << 20)) == 1 << 20:
                pass
        self._tell_the_runtime("CONT")

    def _tell_the_runtime(self, signal: str) -> None:
        self.system.ask("systemctl", "kill", f"--signal={signal}", "allerac.service")

    def claim_code(self) -> str:
        """Return the code that the screen shows."""
        deadline = time.monotonic() + START_SECONDS
        while (shown := CLAIM_CODE.search(self.system.screen.read_text())) is None:
            assert time.monotonic() < deadline, self.system.screen.read_text()
            time.sleep(0.2)
        return shown.group(1)


@contextmanager
def cared_box(root: Path, scratch: Path) -> Iterator[CaredBox]:
    """Start it, and wait until it answers."""
    units = scratch / "units"
    for name, text in (("data.mount", SMALL_DISK), ("allerac.service.d/recorded.conf", OURS)):
        file = units / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    wanted = units / "local-fs.target.wants"
    wanted.mkdir()
    (wanted / "data.mount").symlink_to("../data.mount")
    with running_system(root, scratch, units) as system:
        machine = RecordedMachine(Path(f"/proc/{system.pid}/root/run/recorded"))
        machine.root.mkdir(mode=0o755)
        machine.usual().remove("allerac/space")  # the disk is a real one
        box = CaredBox(system, machine, MachineTime(machine))
        system.wait_for(
            ("systemctl", "is-active", "allerac.service", "nginx.service"), "active\nactive"
        )
        system.ask("systemctl", "restart", "allerac.service")  # it began before its sensors
        yield box


@contextmanager
def browser_in(network: Path) -> Iterator[Browser]:
    """Start Chromium in a network; what it is told goes through pipes."""
    with inside(network):
        playwright = sync_playwright().start()
        browser = start_chromium(playwright)
    try:
        yield browser
    finally:
        browser.close()
        playwright.stop()


def until_ready(client: APIRequestContext) -> None:
    """Wait until the box can answer; before, seconds of its start would count as minutes."""
    deadline = time.monotonic() + START_SECONDS
    while not client.get(f"{URL}/readyz").ok:
        assert time.monotonic() < deadline
        time.sleep(0.2)


def claim(context: BrowserContext, code: str) -> str:
    """Go through the wizard as Ana; returns her recovery code."""
    recovery = ""
    for method, path, body in (
        ("PUT", "language", {"language": "en"}),
        ("POST", "claim", {"code": code}),
        ("PUT", "owner", {"name": "Ana", "password": PASSWORD}),
        ("PUT", "recovery-saved", None),
        ("PUT", "box", {"name": "Kitchen", "time_zone": "Europe/Berlin"}),
        ("PUT", "model", {"model_id": "allerac-demo", "download": False}),
        ("PUT", "privacy", {"automatic_updates": True, "update_hour": 3}),
        ("POST", "finish", None),
    ):
        told = _ok(
            context.request.fetch(f"{URL}/api/v1/onboarding/{path}", method=method, data=body)
        )
        recovery = told.get("recovery_code", recovery) if told else recovery
    return recovery


def join(owner: BrowserContext, other: BrowserContext) -> None:
    """Have Ben, who speaks German, join the household."""
    made = _ok(owner.request.post(f"{URL}/api/v1/invitations", data={"role": "member"}))
    token = made["url"].rsplit("/", 1)[1]
    body = {"name": "Ben", "password": f"{PASSWORD} too", "language": "de"}
    _ok(other.request.post(f"{URL}/api/v1/join/{token}", data=body))


def _ok(answer: APIResponse) -> dict[str, str]:
    assert answer.ok, answer.text()
    told: dict[str, str] = json.loads(answer.body() or b"{}")
    return told
