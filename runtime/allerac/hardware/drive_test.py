"""Drives test themselves: the short self-test of SATA and NVMe, begun, watched and judged.

The drives are spoken to by units of systemd alone, each in its sandbox with one drive:
`allerac-smart@` keeps what its drive says now, `allerac-smart-test@` has it begin.

Field names: smartmontools 7.4 (`smartctl --json`). ATA/ATAPI Command Set 3, table "Self-test
execution status"; NVM Express base specification 1.4, figure 203.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import structlog

from .sensors.smart import KEPT, document_of, inside, number
from .sensors.sysfs import Sysfs

log = structlog.get_logger()

NEVER: Final = ("vd*", "mmcblk[0-9]")
"""Disks that have no self-test: virtio's and eMMC."""

MAY: Final = ("sd*", "nvme[0-9]n[0-9]")

LIMIT_SECONDS: Final = 600.0
"""NVMe grants the short test two minutes, drives of SATA say one or two: thrice and more."""

POLL_SECONDS: Final = 5.0
TELL_SECONDS: Final = 30.0
ANSWER_SECONDS: Final = 45.0
"""Longer than the units give a drive before they are ended."""

UNDERWAY, FINE = 15, 0
"""Of ATA's execution status, the upper four bits."""

SHORT: Final = 1
"""Of NVMe's self-test codes."""

UNSUPPORTED: Final = "not supported by this disk"
Verdict = Literal["passed", "failed", "unsupported"]


@dataclass(frozen=True, slots=True)
class ProvenDrive:
    """How a drive did, in words too; `answer` is all it said last, empty when it was not asked."""

    name: str
    verdict: Verdict
    told: str
    answer: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SelfTest:
    """Where a drive's self-test stands: under way with so much left, or over with a result."""

    left_percent: float | None
    passed: bool
    told: str

    @property
    def is_underway(self) -> bool:
        """Whether there is still something to wait for."""
        return self.left_percent is not None


class DriveTester:
    """Has every drive that is built in test itself, all at the same time.

    `systemctl` is the command that starts units; `tell` gets a line now and then.
    """

    def __init__(
        self,
        sysfs: Sysfs,
        tell: Callable[[str], None],
        *,
        systemctl: tuple[str, ...] = ("/usr/bin/systemctl",),
        limit_seconds: float = LIMIT_SECONDS,
        poll_seconds: float = POLL_SECONDS,
        answer_seconds: float = ANSWER_SECONDS,
    ) -> None:
        self._sysfs = sysfs
        self._tell = tell
        self._systemctl = systemctl
        self._limit_seconds = limit_seconds
        self._poll_seconds = poll_seconds
        self._answer_seconds = answer_seconds

    async def test_all(self) -> list[ProvenDrive]:
        """Return how each drive did, by name."""
        never = [ProvenDrive(name, "unsupported", UNSUPPORTED, {}) for name in self._find(NEVER)]
        tested = await asyncio.gather(*(self._test(name) for name in self._find(MAY)))
        return sorted([*never, *tested], key=lambda drive: drive.name)

    def _find(self, kinds: tuple[str, ...]) -> list[str]:
        """Return what is built in: no stick, no card, nothing that hangs on USB."""
        return [
            folder.name
            for kind in kinds
            for folder in self._sysfs.find("sys/block", kind)
            if self._sysfs.number(folder / "removable") == 0 and not _is_usb(folder)
        ]

    async def _test(self, name: str) -> ProvenDrive:
        answer = await self._ask(name)
        if not answer:
            return ProvenDrive(name, "failed", "does not say how it is", {})
        if not is_supported(answer):
            return ProvenDrive(name, "unsupported", UNSUPPORTED, answer)
        before = self_test_of(answer)
        if not (before and before.is_underway) and not await self._begin(name):
            return ProvenDrive(name, "failed", "did not begin its self-test", answer)
        return await self._watch(name, answer)

    async def _watch(self, name: str, answer: Mapping[str, Any]) -> ProvenDrive:
        """Ask again and again until the test is over; a drive may be silent in between."""
        end = time.monotonic() + self._limit_seconds
        told = end
        while (left := end - time.monotonic()) > 0:
            if now := await self._ask(name):
                answer = now
                state = self_test_of(now)
                if state is None:
                    return ProvenDrive(name, "failed", "kept no result of its self-test", now)
                if not state.is_underway:
                    return ProvenDrive(
                        name, "passed" if state.passed else "failed", state.told, now
                    )
                if told - left >= TELL_SECONDS or told == end:
                    self._tell(f"  {name}: {state.left_percent:.0f} % of its self-test left")
                    told = left
            await asyncio.sleep(self._poll_seconds)
        told_end = f"did not end its self-test within {self._limit_seconds:.0f} s"
        return ProvenDrive(name, "failed", told_end, answer)

    async def _ask(self, name: str) -> Mapping[str, Any]:
        """Return what the drive says now; nothing when it says nothing, whatever it said before."""
        path = f"{KEPT}/{name}.json"
        before = self._written(path)
        if not await self._start(f"allerac-smart@{name}.service"):
            return {}
        return document_of(self._sysfs.text(path) or "") if self._written(path) != before else {}

    async def _begin(self, name: str) -> bool:
        return await self._start(f"allerac-smart-test@{name}.service")

    async def _start(self, unit: str) -> bool:
        """Start a unit, wait for its end, and tell whether it went well."""
        try:
            process = await asyncio.create_subprocess_exec(
                *self._systemctl,
                *("start", unit),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
            )
        except OSError as error:
            log.warning("unit_not_started", unit=unit, reason=error.strerror)
            return False
        try:
            async with asyncio.timeout(self._answer_seconds):
                return await process.wait() == 0
        except TimeoutError:
            log.warning("unit_did_not_end", unit=unit)
            return False
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()

    def _written(self, path: str) -> tuple[int, int] | None:
        """Return what is another after the file was written anew."""
        try:
            status = (self._sysfs.root / path).stat()
        except OSError:
            return None
        return status.st_ino, status.st_mtime_ns


def is_supported(answer: Mapping[str, Any]) -> bool:
    """Tell whether a drive has self-tests, by what `smartctl --json --all` says of it."""
    if isinstance(answer.get("nvme_self_test_log"), dict):
        return True
    if inside(answer, "nvme_optional_admin_commands", "self_test") is True:
        return True
    able = inside(answer, "ata_smart_data", "capabilities", "self_tests_supported")
    return able is True


def self_test_of(answer: Mapping[str, Any]) -> SelfTest | None:
    """Return where the self-test stands; None when the drive does not say."""
    nvme = answer.get("nvme_self_test_log")
    if isinstance(nvme, dict):
        return _of_nvme(nvme)
    status = inside(answer, "ata_smart_data", "self_test", "status")
    value = number(inside(status, "value")) if isinstance(status, dict) else None
    if value is None:
        return None
    state, tenths = divmod(int(value), 16)
    if state == UNDERWAY:
        return SelfTest(tenths * 10.0, passed=False, told="")
    return SelfTest(None, state == FINE, str(inside(status, "string") or f"ended with {state}"))


def _of_nvme(tests: Mapping[str, Any]) -> SelfTest | None:
    if number(inside(tests, "current_self_test_operation", "value")):
        done = number(tests.get("current_self_test_completion_percent")) or 0.0
        return SelfTest(100.0 - done, passed=False, told="")
    table = tests.get("table")
    for row in table if isinstance(table, list) else []:  # the last one first
        if isinstance(row, dict) and inside(row, "self_test_code", "value") == SHORT:
            result = number(inside(row, "self_test_result", "value"))
            told = str(inside(row, "self_test_result", "string") or f"ended with {result or 0:.0f}")
            return SelfTest(None, result == FINE, told[:1].lower() + told[1:])
    return None


def _is_usb(folder: Path) -> bool:
    return any(part.startswith("usb") for part in folder.resolve().parts)
