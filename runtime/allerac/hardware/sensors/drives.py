"""What drives say of themselves: SMART of SATA and NVMe, by smartctl's JSON.

Field names: smartmontools 7.3 (`smartctl --json`), NVM Express base specification 5.16.1.3, and
the attribute numbers that smartmontools' drivedb gives for wear of SATA drives.
"""

import asyncio
import contextlib
import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import structlog

from .smart import KEPT, document_of, inside, number
from .sysfs import Sysfs

log = structlog.get_logger()

STALE_SECONDS: Final = 3600.0
"""Six answers missed: what a drive said before that is nothing to go by."""

TIMEOUT_SECONDS: Final = 10.0
KILL_SECONDS: Final = 1.0
INTERVAL_SECONDS: Final = 1800.0
"""Half an hour: wear moves in days, and a question may wake a disk."""

WEAR_ATTRIBUTES: Final = (177, 202, 231, 233)
"""Normalised values that fall from 100 as a SATA drive is used up."""

SECTOR_ATTRIBUTES: Final = (5, 187, 197, 198)
"""Reallocated, uncorrectable and pending sectors: raw values that should be zero."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drive:
    """One drive. `worn_percent` beyond 100 is past its rated life; None where it does not say.

    `failing` is the drive's own verdict, `bad_blocks` what it could not read or had to replace.
    Below `spare_threshold_percent` it says itself that its spare is used up; at 0 it never does.
    """

    name: str
    model: str
    kind: Literal["sata", "nvme", "emmc"]
    failing: bool
    worn_percent: float | None = None
    spare_percent: float | None = None
    spare_threshold_percent: float | None = None
    bad_blocks: int = 0
    celsius: float | None = None


class DriveReader:
    """Asks all drives now and then, in the background; `drives` is what they said last.

    `ask` is the command before the device's name. A drive that does not answer within
    `timeout_seconds` is left alone until the next time, and what it said before stands. Answers
    that units keep go before; they are absent once they are `stale_seconds` old, which is an hour
    on a machine and never in a recorded tree.
    """

    def __init__(
        self,
        sysfs: Sysfs,
        *,
        ask: tuple[str, ...] = ("/usr/sbin/smartctl", "--json", "--all", "--nocheck=standby"),
        timeout_seconds: float = TIMEOUT_SECONDS,
        interval_seconds: float = INTERVAL_SECONDS,
        stale_seconds: float | None = None,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sysfs = sysfs
        usual = STALE_SECONDS if sysfs.is_machine else math.inf
        self._stale_seconds = usual if stale_seconds is None else stale_seconds
        self._ask = ask
        self._timeout_seconds = timeout_seconds
        self._interval_seconds = interval_seconds
        self._steady = steady
        self._asked_at: float | None = None
        self._asking: asyncio.Task[None] | None = None
        self._known: dict[str, Drive] = {}

    @property
    def drives(self) -> list[Drive]:
        """What is known; a unit's files and recorded trees are read at once."""
        kept = list(_kept(self._sysfs, self._stale_seconds))
        return kept or list(self._known.values())

    def refresh(self) -> None:
        """Begin to ask when it is time; nobody waits."""
        now = self._steady()
        resting = self._asking is None or self._asking.done()
        due = self._asked_at is None or now - self._asked_at >= self._interval_seconds
        may_ask = self._sysfs.is_machine and not self._sysfs.exists(KEPT)
        if resting and due and may_ask and Path(self._ask[0]).exists():
            self._asked_at = now
            self._asking = asyncio.create_task(self.ask_all(_devices(self._sysfs)))

    async def stop(self) -> None:
        """Ask no further."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)

    async def ask_all(self, devices: Iterable[str]) -> None:
        """Ask each drive of `devices`, one after the other."""
        for device in devices:
            try:
                answer = await self._answer(device)
            except (OSError, TimeoutError) as error:
                log.warning("drive_did_not_answer", drive=device, reason=type(error).__name__)
                continue
            if drive := drive_of(device, answer):
                self._known[device] = drive

    async def _answer(self, device: str) -> Mapping[str, Any]:
        """Return smartctl's document; its exit status says what the document says too."""
        process = await asyncio.create_subprocess_exec(
            *self._ask,
            f"/dev/{device}",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            async with asyncio.timeout(self._timeout_seconds):
                text, _ = await process.communicate()
        finally:
            if process.returncode is None:
                await _end(process)
        return document_of(text)


async def _end(process: asyncio.subprocess.Process) -> None:
    """Kill it; one that the kernel holds cannot die yet, and nobody waits for it."""
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(KILL_SECONDS):
            await process.communicate()


def drive_of(name: str, answer: Mapping[str, Any]) -> Drive | None:
    """Return what `smartctl --json --all` says of a drive; None when it says nothing of health."""
    passed = inside(answer, "smart_status", "passed")
    nvme = answer.get("nvme_smart_health_information_log")
    if not isinstance(passed, bool) and not isinstance(nvme, dict):
        return None
    model = str(answer.get("model_name") or name)
    celsius = number(inside(answer, "temperature", "current"))
    if isinstance(nvme, dict):
        return Drive(
            name=name,
            model=model,
            kind="nvme",
            failing=passed is False or bool(number(nvme.get("critical_warning"))),
            worn_percent=number(nvme.get("percentage_used")),
            spare_percent=number(nvme.get("available_spare")),
            spare_threshold_percent=number(nvme.get("available_spare_threshold")),
            bad_blocks=int(number(nvme.get("media_errors")) or 0),
            celsius=celsius,
        )
    attributes = _attributes(answer)
    left = [attributes[n][0] for n in WEAR_ATTRIBUTES if n in attributes]
    return Drive(
        name=name,
        model=model,
        kind="sata",
        failing=passed is False,
        worn_percent=100 - min(left) if left else None,
        bad_blocks=int(sum(attributes[n][1] for n in SECTOR_ATTRIBUTES if n in attributes)),
        celsius=celsius,
    )


def _attributes(answer: Mapping[str, Any]) -> dict[int, tuple[float, float]]:
    """Return (normalised, raw) by the attribute's number."""
    table = inside(answer, "ata_smart_attributes", "table")
    rows = [row for row in table if isinstance(row, dict)] if isinstance(table, list) else []
    return {
        int(row["id"]): (
            number(row.get("value")) or 0.0,
            number(inside(row, "raw", "value")) or 0.0,
        )
        for row in rows
        if isinstance(row.get("id"), int)
    }


def _kept(sysfs: Sysfs, stale_seconds: float) -> Iterable[Drive]:
    for file in sysfs.find(KEPT, "*.json"):
        age = sysfs.age_seconds(file)
        if age is None or age > stale_seconds:
            continue
        if drive := drive_of(file.stem, document_of(sysfs.text(file) or "")):
            yield drive


def _devices(sysfs: Sysfs) -> list[str]:
    """Return disks that can have SMART: those of SATA by their disk, of NVMe by their namespace."""
    return [
        folder.name
        for pattern in ("sd*", "nvme*n*")
        for folder in sysfs.find("sys/block", pattern)
        if sysfs.number(folder / "removable") == 0
    ]
