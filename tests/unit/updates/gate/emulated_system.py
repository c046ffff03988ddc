"""A system whose parts can be broken one by one, and a clock that runs as fast as it is asked."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from allerac.errors import EngineUnavailable, StorageUnavailable
from allerac.updates.gate import (
    Baseline,
    BoxAddress,
    DataState,
    Page,
    Spoken,
    Surroundings,
)
from allerac.updates.rauc import Bundle, Mark, OnProgress, Slot, Slots
from allerac.updates.reasons import failed

Value = TypeVar("Value")

GIB = 1024**3
HOME = BoxAddress("enp1s0", "192.168.7.20")
GOOD = Baseline(
    version="1.0.0",
    sign_in=True,
    database=True,
    claimed=True,
    addresses=(HOME,),
    disk_free_bytes=40 * GIB,
    model_id="household-4b",
    canaries=(10.0,),
)


class QuickClock:
    """Time passes only by waiting; `events` happen at their second."""

    def __init__(self, started_at: float = 20.0) -> None:
        self.now = started_at
        self.events: list[tuple[float, Callable[[], None]]] = []

    def at(self, second: float, event: Callable[[], None]) -> None:
        """Let `event` happen then."""
        self.events.append((second, event))

    def since_boot(self) -> float:
        """Return the seconds."""
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Wait; who waits together is woken in the order of the calls."""
        target = self.now + seconds
        await asyncio.sleep(0)
        self.now = max(self.now, target)
        due = [event for event in self.events if event[0] <= self.now]
        self.events = [event for event in self.events if event[0] > self.now]
        for _, happen in due:
            happen()


@dataclass(slots=True)
class EmulatedSystem:
    """Everything works until a test changes it; it is each part of the surroundings itself."""

    now_at: tuple[BoxAddress, ...] = (HOME,)
    silent: set[str] = field(default_factory=set)
    runtime_runs: bool = True
    page: Page = field(default_factory=lambda: Page(200, "<!doctype html><html>"))
    database: DataState | Exception = field(default_factory=lambda: DataState(3, 3, claimed=True))
    free: int | Exception = 39 * GIB
    model: str | Exception | None = "household-4b"
    spoken: Spoken | Exception = field(default_factory=lambda: Spoken("one, two", 10.0))
    hot: bool = False
    hangs: bool = False
    asked: list[str] = field(default_factory=list)

    def surroundings(self) -> Surroundings:
        """Return the parts."""
        return Surroundings(self, self, _Data(self), self, _Model(self), self)

    async def addresses(self) -> Sequence[BoxAddress]:
        """Return the present ones."""
        self.asked.append("addresses")
        return self.now_at

    async def get(self, ip: str, path: str) -> Page:
        """Serve, unless nobody does."""
        self.asked.append(f"{ip}{path}")
        if ip in self.silent:
            raise ConnectionRefusedError(111, "Connection refused")
        if path == "/healthz":
            return Page(200, '{"status":"ok"}') if self.runtime_runs else Page(502, "<html>")
        return self.page

    async def free_bytes(self) -> int:
        """Return what is free."""
        self.asked.append("disk")
        return _given(self.free)

    async def is_hot(self) -> bool:
        """Tell."""
        return self.hot

    def crash_runtime(self) -> None:
        """End it, and with it the engine."""
        self.runtime_runs = False
        self.model = EngineUnavailable("The runtime does not answer.")


@dataclass(slots=True)
class _Data:
    system: EmulatedSystem

    async def state(self) -> DataState:
        self.system.asked.append("data")
        return _given(self.system.database)


@dataclass(slots=True)
class _Model:
    system: EmulatedSystem

    async def loaded(self) -> str | None:
        self.system.asked.append("model")
        return _given(self.system.model)

    async def canary(self) -> Spoken:
        self.system.asked.append("canary")
        if self.system.hangs:
            await asyncio.Event().wait()
        return _given(self.system.spoken)


def _given(value: Value | Exception) -> Value:
    if isinstance(value, Exception):
        raise value
    return value


UNREADABLE = StorageUnavailable("The box cannot reach its data.")


@dataclass(slots=True)
class EmulatedSlots:
    """What the gate asks of RAUC and of the machine; `acts` has it in order."""

    other_bootable: bool = True
    other_complete: bool = True
    refuses: bool = False
    acts: list[str] = field(default_factory=list)

    async def compatible(self) -> str:
        """Not asked by the gate."""
        raise failed("installer_unavailable")

    async def inspect(self, source: str) -> Bundle:
        """Not asked by the gate."""
        raise failed("installer_unavailable", source)

    async def is_installing(self) -> bool:
        """Nothing is."""
        return False

    async def install(self, source: str, on_progress: OnProgress) -> None:
        """Not asked by the gate."""
        raise failed("installer_unavailable", source)

    async def follow(self, on_progress: OnProgress) -> None:
        """Nothing to follow."""

    async def slots(self) -> Slots:
        """Return both."""
        booted = Slot("rootfs.1", "B", True, True, "1.1.0", "b" * 64, True)
        other = Slot(
            "rootfs.0", "A", False, self.other_bootable, "1.0.0", "a" * 64, self.other_complete
        )
        return Slots(booted, other, "rootfs.1")

    async def mark(self, state: Mark, slot: str) -> None:
        """Note it."""
        if self.refuses:
            raise failed("installer_unavailable")
        self.acts.append(f"{state} {slot}")

    def boot_id(self) -> str:
        """Return any."""
        return "boot"

    async def restart(self) -> None:
        """Note it."""
        self.acts.append("restart")
