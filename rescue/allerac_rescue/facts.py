"""What can be seen without a code: whether the box answers, and what stands in its way."""

import os
import re
import socket
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from allerac_rescue.places import Places
from allerac_rescue.programs import Programs

ANSWER_SECONDS = 2.0
WAKING_SECONDS = 180.0
"""How long a start may take before it counts as trouble; three times the promise of SPEC 3."""

RESTARTS_OF_TROUBLE = 3
NARROW_BYTES = 64 * 2**20
"""Below this SQLite, logs and an answer in the making no longer fit side by side."""


class State(StrEnum):
    """The lamp: well, on its way, one thing to do, trouble."""

    WELL = "well"
    WAKING = "waking"
    NOTICE = "notice"
    TROUBLE = "trouble"


@dataclass(frozen=True, slots=True)
class Service:
    """What systemd says of the runtime."""

    active: str
    restarts: int
    seconds: float
    """Since it last began to start; since the system did, where it has not yet."""

    has_begun: bool

    @property
    def is_coming(self) -> bool:
        """Tell whether it is on its way, and not one that was stopped."""
        return self.active != "inactive" or not self.has_begun


@dataclass(frozen=True, slots=True)
class Space:
    """Bytes of the data partition."""

    free: int
    total: int


@dataclass(frozen=True, slots=True)
class Facts:
    """The box at this moment; `findings` are keys of words, the worst first."""

    state: State
    findings: tuple[str, ...]
    space: Space | None


def look(places: Places, run: Programs, uptime: float) -> Facts:
    """Look at the box; takes a few seconds at most, whatever hangs.

    Args:
        places: where things are.
        run: the door to programs.
        uptime: seconds since the system started.
    """
    space = _space(places)
    findings = _findings(places, space)
    if _answers(places.runtime_socket):
        return Facts(State.NOTICE if findings else State.WELL, tuple(findings), space)
    service = _service(run, uptime)
    if service.restarts >= RESTARTS_OF_TROUBLE or service.active == "failed":
        findings.append("crashes")
    elif service.active == "active":
        findings.append("silent")
    elif not findings and service.is_coming and service.seconds < WAKING_SECONDS:
        return Facts(State.WAKING, (), space)
    return Facts(State.TROUBLE, tuple(findings or ["off"]), space)


def _findings(places: Places, space: Space | None) -> list[str]:
    """Return what can be seen of disk and system, the worst first."""
    found = []
    if space is None:
        found.append("no_data")
    elif _is_read_only(places):
        found.append("read_only")
    elif space.free < NARROW_BYTES:
        found.append("full")
    if not os.access(places.environment, os.X_OK):
        found.append("no_runtime")
    return found


def _answers(path: Path) -> bool:
    """Tell whether the runtime says anything at all over its socket."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(ANSWER_SECONDS)
            connection.connect(str(path))
            connection.sendall(
                b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            )
            return re.match(rb"HTTP/1\.1 [234]", connection.recv(12)) is not None
    except OSError:
        return False


def _space(places: Places) -> Space | None:
    """Return the space of the data partition; None where nothing of the runtime's is to be seen."""
    if not places.allerac.is_dir():
        return None
    try:
        told = os.statvfs(places.allerac)
    except OSError:
        return None
    return Space(told.f_bavail * told.f_frsize, told.f_blocks * told.f_frsize)


def _is_read_only(places: Places) -> bool:
    """Tell whether the file system itself takes no writing, proc_pid_mountinfo(5).

    Its mount may be read-only for this service alone, which tells nothing.
    """
    try:
        lines = (places.root / "proc/self/mountinfo").read_text().splitlines()
    except OSError:
        return False
    options = {"/": "", "/data": ""}
    for line in lines:
        before, _, after = line.partition(" - ")
        point = before.split()[4]
        if point in options:
            options[point] = after.split()[2]
    return "ro" in (options["/data"] or options["/"]).split(",")


def _service(run: Programs, uptime: float) -> Service:
    properties = "ActiveState,NRestarts,InactiveExitTimestampMonotonic"
    told = run(["systemctl", "show", f"--property={properties}", "allerac.service"])
    found = dict(line.split("=", 1) for line in told.text.splitlines() if "=" in line)
    began = int(found.get("InactiveExitTimestampMonotonic") or 0) / 1e6
    return Service(
        active=found.get("ActiveState", "unknown"),
        restarts=int(found.get("NRestarts") or 0),
        seconds=max(uptime - began, 0.0) if began else uptime,
        has_begun=began > 0,
    )


def read_uptime(places: Places) -> float:
    """Return the seconds since the system started, proc(5)."""
    return float((places.root / "proc/uptime").read_text().split()[0])
