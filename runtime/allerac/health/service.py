"""The health of the box: samples it, judges it, reacts, and answers questions about it."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal, Protocol, TypeVar

import structlog

from allerac.errors import AlleracError, Conflict, NotFound, StorageUnavailable
from allerac.hardware.sensors import Drive, Reading
from allerac.storage.device_history import (
    LEVELS,
    DeviceHistory,
    Level,
    StoredIssue,
    StoredReaction,
)
from allerac.storage.ids import new_id
from allerac.storage.threads import finish_in_thread

from .check import Check, Finding, Severity, View
from .checks import find_checks
from .events import Event, events_of
from .figures import FIGURES, figures_of
from .history import History, Sample
from .issues import Change, Issue, IssueBook
from .kept import issue_of, row_of
from .reactions import Lever, Reflexes, Underway
from .snapshot import BoxFacts, Limits, Snapshot
from .speed import SpeedBook

log = structlog.get_logger()
T = TypeVar("T")

SAMPLE_SECONDS: Final = 10.0
SAMPLES_PER_WRITE: Final = 6
"""A write a minute rather than one a sample spares the disk; a power cut costs that minute."""

UNWRITTEN_SAMPLES: Final = 360
STALLED_SECONDS: Final = 120.0
"""Twelve samples missed: the part that watches does not, and the service is to start anew."""

EVENTS: Final = 200
"""As many marks as a chart can bear."""

Period = Literal["hour", "day", "month"]


@dataclass(frozen=True, slots=True)
class _Span:
    level: Level
    length: timedelta
    step_seconds: int


PERIODS: Final[Mapping[Period, _Span]] = {
    "hour": _Span(LEVELS[0], timedelta(hours=1), 20),
    "day": _Span(LEVELS[1], timedelta(days=1), 300),
    "month": _Span(LEVELS[2], timedelta(days=30), 7200),
}
"""Some two to four hundred points each: as many as a chart can show."""


class SensorReader(Protocol):
    """`allerac.hardware.sensors.Sensors`, or a simulation."""

    def read(self) -> Reading:
        """Read all sensors; may block."""

    def refresh_drives(self) -> None:
        """Begin to ask the drives when it is time."""

    async def stop(self) -> None:
        """Stop what runs in the background."""


@dataclass(frozen=True, slots=True)
class HealthStatus:
    """How the box is. `severity` None means that all is well; `fixable` has issues' ids."""

    at: datetime | None
    severity: Severity | None
    figures: Mapping[str, float]
    totals: Mapping[str, int]
    issues: list[Issue]
    fixable: frozenset[str]
    reactions: list[Underway]
    drives: list[Drive]


Act = Callable[[Finding], Awaitable[None]]
Listener = Callable[[Change], Awaitable[None]]


class HealthService:
    """Takes a sample every `sample_seconds`; `facts` asks the other rooms.

    `levers` are what reactions may pull, `acts` what fixes may do, by their names.
    """

    def __init__(
        self,
        *,
        sensors: SensorReader,
        store: DeviceHistory,
        facts: Callable[[], Awaitable[BoxFacts]],
        limits: Limits,
        levers: Mapping[str, Lever],
        acts: Mapping[str, Act],
        listeners: Sequence[Listener] = (),
        speeds: SpeedBook | None = None,
        checks: Sequence[Check] | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        steady: Callable[[], float] = time.monotonic,
        sample_seconds: float = SAMPLE_SECONDS,
    ) -> None:
        self._sensors = sensors
        self._store = store
        self._facts = facts
        self._limits = limits
        self._acts = acts
        self._listeners = listeners
        self._speeds = speeds or SpeedBook()
        self._clock = clock
        self._steady = steady
        self._sample_seconds = sample_seconds
        self._book = IssueBook(find_checks() if checks is None else checks, new_id)
        self._reflexes = Reflexes(levers)
        self._history = History()
        self._before: Snapshot | None = None
        self._unwritten: list[tuple[datetime, Mapping[str, float]]] = []
        self._storing = asyncio.Lock()
        self._sampling = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Remember what was, and begin to look."""
        await self.recall()
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Look no longer; what reactions hold ends with the process."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._sensors.stop()
        await self._write()
        await self._in_store(self._store.close)

    @property
    def is_looking(self) -> bool:
        """Whether samples are taken; a service in which they are not is better started anew."""
        if self._task is None or self._before is None:
            return True
        return not self._task.done() and self._steady() - self._before.steady < STALLED_SECONDS

    def status(self) -> HealthStatus:
        """Return how the box is."""
        now, issues = self._before, self._book.open
        reading = now.machine if now else Reading()
        totals = {
            "memory_bytes": reading.memory.total if reading.memory else None,
            "disk_bytes": reading.disk.total if reading.disk else None,
        }
        return HealthStatus(
            at=now.at if now else None,
            severity=self._book.severity,
            figures={n: v for n, v in now.values.items() if n in FIGURES} if now else {},
            totals={name: total for name, total in totals.items() if total is not None},
            issues=issues,
            fixable=frozenset(issue.id for issue in issues if self._can_fix(issue)),
            reactions=self._reflexes.underway,
            drives=reading.drives,
        )

    async def series(self, period: Period) -> list[dict[str, Any]]:
        """Return rows `at` and figures over the period, in order and in equal steps.

        A row without figures stands for a time in which nobody looked.
        """
        span, now = PERIODS[period], self._clock()
        await self._write()
        rows = await self._in_store(
            lambda: self._store.series(span.level, now - span.length, span.step_seconds)
        )
        return _in_equal_steps([row for row in rows if row["at"] <= now], span.step_seconds)

    async def events(self, period: Period) -> list[Event]:
        """Return what was wrong over the period and what the box did, the newest first."""
        since = self._clock() - PERIODS[period].length
        stored = await self._in_store(lambda: self._store.issues_since(since))
        reactions = await self._in_store(lambda: self._store.reactions_since(since))
        issues = (issue for row in stored if (issue := self._restored(row)) is not None)
        return events_of(issues, reactions)[:EVENTS]

    async def past_issues(self, limit: int) -> list[Issue]:
        """Return issues that are over, the newest first; those of removed checks are left out."""
        stored = await self._in_store(lambda: self._store.issues(lasting=False, limit=limit))
        return [issue for row in stored if (issue := self._restored(row)) is not None]

    async def fix(self, issue_id: str) -> HealthStatus:
        """Do what the issue's check offers. Raises `NotFound`, `Conflict`, what the act raises."""
        issue = next((issue for issue in self._book.open if issue.id == issue_id), None)
        if issue is None:
            raise NotFound("This is over already.", hint="Look again.")
        if issue.check.fix is None or not self._can_fix(issue):
            raise Conflict("The box cannot do this by itself.", hint="Follow the advice.")
        await self._acts[issue.check.fix.act](issue.finding)
        await self.sample()
        return self.status()

    async def sample(self) -> None:
        """Look once: read, judge, react, tell; one after the other, whoever wishes it."""
        async with self._sampling:
            await self._sample()

    async def _sample(self) -> None:
        self._sensors.refresh_drives()
        machine = await asyncio.to_thread(self._sensors.read)
        now = self._snapshot(machine, await self._facts())
        self._history.add(Sample(now.at, now.steady, now.values))
        self._before = now
        kept = {name: value for name, value in now.values.items() if name in FIGURES}
        self._unwritten = [*self._unwritten, (now.at, kept)][-UNWRITTEN_SAMPLES:]
        await self._react(now)
        for change in self._book.judge(now, self._history):
            await self._tell(change)
        if len(self._unwritten) >= SAMPLES_PER_WRITE:
            await self._write()

    def _snapshot(self, machine: Reading, box: BoxFacts) -> Snapshot:
        at, steady, before = self._clock(), self._steady(), self._before
        seconds = steady - before.steady if before else 0.0
        values = figures_of(machine, before.machine if before else None, seconds, box)
        return Snapshot(
            at=at, steady=steady, machine=machine, box=box, limits=self._limits, values=values
        )

    async def _run(self) -> None:
        while True:
            try:
                await self.sample()
            except AlleracError as error:
                log.warning("health_not_sampled", reason=error.message)
            except Exception:  # the boundary of a task that must go on
                log.exception("health_not_sampled_unexpectedly")
            await asyncio.sleep(self._sample_seconds)

    async def _react(self, now: Snapshot) -> None:
        """Let the reflexes follow, and write down what has begun and what is over."""
        before = self._stored_reactions()
        await self._reflexes.follow(now)
        after = self._stored_reactions()
        changed = [*(replace(one, ended_at=now.at) for one in before - after), *(after - before)]
        try:
            if changed:
                await self._in_store(lambda: self._store.keep_reactions(changed))
        except StorageUnavailable as error:
            log.warning("reactions_not_kept", reason=error.message)

    def _stored_reactions(self) -> set[StoredReaction]:
        underway = self._reflexes.underway
        return {StoredReaction(one.reaction.code, one.since, None) for one in underway}

    async def _tell(self, change: Change) -> None:
        issue = change.issue
        log.info("issue", kind=change.kind, code=issue.check.code, severity=issue.finding.severity)
        try:
            await self._in_store(lambda: self._store.keep_issue(row_of(issue)))
        except StorageUnavailable as error:
            log.warning("issue_not_kept", code=issue.check.code, reason=error.message)
        for listener in self._listeners:
            await listener(change)

    async def _write(self) -> None:
        samples, self._unwritten = self._unwritten, []
        try:
            await self._in_store(lambda: self._store.add(samples, self._clock()))
            await self._in_store(lambda: self._store.keep_records(dict(self._speeds.records)))
        except StorageUnavailable as error:
            self._unwritten = [*samples, *self._unwritten][-UNWRITTEN_SAMPLES:]
            log.warning("samples_not_kept", reason=error.message)

    async def _in_store(self, work: Callable[[], T]) -> T:
        """Use the store, which is one connection, for one thing at a time and to its end."""
        async with self._storing:
            return await finish_in_thread(work)

    async def recall(self) -> None:
        """Take over what was known before the start."""
        now = Sample(self._clock(), self._steady(), {})
        span = PERIODS["month"]
        try:
            rows = await self._in_store(
                lambda: self._store.series(span.level, now.at - span.length, span.level.seconds)
            )
            stored = await self._in_store(lambda: self._store.issues(lasting=True))
            self._speeds.restore(await self._in_store(self._store.records))
            await self._in_store(self._store.end_reactions)
        except StorageUnavailable as error:
            log.warning("health_not_recalled", reason=error.message)
            return
        self._history.recall(
            (
                (row["at"], {n: v for n, v in row.items() if n in FIGURES and v is not None})
                for row in rows
            ),
            now,
        )
        self._book.restore(issue for row in stored if (issue := self._restored(row)) is not None)

    def _restored(self, row: StoredIssue) -> Issue | None:
        return issue_of(row, self._book.checks)

    def _can_fix(self, issue: Issue) -> bool:
        fix = issue.check.fix
        if fix is None or fix.act not in self._acts or self._before is None:
            return False
        return fix.possible(View(self._before, self._history), issue.finding)


def _in_equal_steps(rows: Sequence[dict[str, Any]], step_seconds: int) -> list[dict[str, Any]]:
    """Return `rows`, which are in order, with empty ones where there is none for a step."""
    found: list[dict[str, Any]] = []
    step = timedelta(seconds=step_seconds)
    for row in rows:
        while found and found[-1]["at"] + step < row["at"]:
            found.append({"at": found[-1]["at"] + step})
        found.append(row)
    return found
