"""Services of the system that failed or start again and again: systemctl(1), which all may ask."""

import asyncio
import json
import shutil
from dataclasses import dataclass
from typing import Any, Final

import structlog

log = structlog.get_logger()

TIMEOUT_SECONDS: Final = 5.0
RUNTIME: Final = "allerac.service"
OURS: Final = (
    RUNTIME,
    "allerac-engine@*.service",
    "allerac-rescue.service",
    "nginx.service",
)


@dataclass(frozen=True, slots=True)
class UnitState:
    """A unit; `restarts` counts since it was last started by hand or at boot."""

    name: str
    failed: bool
    restarts: int


async def read_units() -> tuple[UnitState, ...]:
    """Return failed units, and ours with their restarts; none where systemd does not run."""
    failed = [
        str(row.get("unit")) for row in _rows(await _ask("list-units", "--failed", "-o", "json"))
    ]
    shown = await _ask("show", "--property=Id,NRestarts", *OURS)
    restarts = dict(filter(None, map(_restarts, shown.split("\n\n"))))
    names = [*failed, *(name for name in restarts if name not in failed)]
    return tuple(UnitState(name, name in failed, restarts.get(name, 0)) for name in names)


def _rows(text: str) -> list[dict[str, Any]]:
    try:
        rows = json.loads(text or "[]")
    except ValueError:
        return []
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _restarts(block: str) -> tuple[str, int] | None:
    facts = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
    count = facts.get("NRestarts", "")
    return (facts["Id"], int(count)) if "Id" in facts and count.isdigit() else None


async def _ask(*words: str) -> str:
    program = shutil.which("systemctl")
    if program is None:
        return ""
    process = await asyncio.create_subprocess_exec(
        program,
        *words,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            text, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.communicate()  # `wait` is for nobody whose output is full
        return ""
    return text.decode(errors="replace") if process.returncode == 0 else ""
