"""What the box does by itself when something is wrong: each begins and ends at a threshold."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import structlog

from allerac.errors import AlleracError

from .snapshot import Snapshot

log = structlog.get_logger()

Condition = Callable[[Snapshot], bool]
Act = Callable[[], Awaitable[None]]

COOLER_CELSIUS: Final = 8.0


@dataclass(frozen=True, slots=True)
class Lever:
    """How a reaction takes hold of the box, and lets go."""

    pull: Act
    let_go: Act


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaction:
    """It begins when `begins` held for `begins_after_seconds`, and ends likewise.

    One that `repeats_seconds` pulls its lever again that often while it lasts.
    """

    code: str
    words: Mapping[str, str]
    begins: Condition
    ends: Condition
    begins_after_seconds: float
    ends_after_seconds: float
    repeats_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Underway:
    """A reaction that is in force."""

    reaction: Reaction
    since: datetime


def _celsius(now: Snapshot) -> float:
    return now.machine.heat.celsius if now.machine.heat else 0.0


def _memory_share(now: Snapshot) -> float:
    memory = now.machine.memory
    return memory.available / memory.total if memory and memory.total else 1.0


def _free(now: Snapshot) -> float:
    return float(now.machine.disk.free) if now.machine.disk else float("inf")


def _reserve_bytes(now: Snapshot) -> float:
    """The size of `reserve.Reserve` on this disk."""
    return min(2**30, now.machine.disk.total * 0.02) if now.machine.disk else 0.0


def _engine_state(now: Snapshot) -> str:
    return now.box.engine.state if now.box.engine else "stopped"


REACTIONS: Final[Sequence[Reaction]] = (
    Reaction(
        code="fewer_threads",
        words={
            "en": "Allerac works more slowly until the box has cooled down; documents wait.",
            "de": "Allerac arbeitet langsamer, bis die Box abgekühlt ist; Dokumente warten.",
        },
        begins=lambda now: _celsius(now) >= now.limits.slow_celsius,
        ends=lambda now: _celsius(now) < now.limits.slow_celsius - COOLER_CELSIUS,
        begins_after_seconds=20,
        ends_after_seconds=60,
    ),
    Reaction(
        code="pause_answers",
        words={
            "en": "Allerac rests: the box is too hot. New answers come when it has cooled down.",
            "de": "Allerac ruht: Die Box ist zu heiß. Neue Antworten gibt es, wenn sie kühler ist.",
        },
        begins=lambda now: _celsius(now) >= now.limits.pause_celsius,
        ends=lambda now: _celsius(now) < now.limits.pause_celsius - COOLER_CELSIUS,
        begins_after_seconds=10,
        ends_after_seconds=60,
    ),
    Reaction(
        code="smaller_context",
        words={
            "en": "Allerac reads shorter conversations until there is more memory.",
            "de": "Allerac liest kürzere Gespräche, bis mehr Speicher frei ist.",
        },
        begins=lambda now: _memory_share(now) < 0.08,
        ends=lambda now: _memory_share(now) > 0.30,
        begins_after_seconds=20,
        ends_after_seconds=600,
    ),
    Reaction(
        code="unload_model",
        words={
            "en": "Allerac has put its model aside: there is no memory for it.",
            "de": "Allerac hat sein Modell beiseitegelegt: Der Speicher reicht nicht.",
        },
        begins=lambda now: _memory_share(now) < 0.03,
        ends=lambda now: _memory_share(now) > 0.15,
        begins_after_seconds=20,
        ends_after_seconds=300,
    ),
    Reaction(
        code="hold_downloads",
        words={
            "en": "Downloads and indexing wait until there is room on the disk.",
            "de": "Laden und Indizieren warten, bis auf der Platte Platz ist.",
        },
        begins=lambda now: _free(now) < now.short_bytes,
        ends=lambda now: _free(now) > 1.3 * now.short_bytes,
        begins_after_seconds=0,
        ends_after_seconds=10,
    ),
    Reaction(
        code="release_reserve",
        words={
            "en": "Allerac has given up its reserve, so that signing in and deleting work.",
            "de": "Allerac hat seine Reserve freigegeben, damit Anmelden und Löschen gehen.",
        },
        begins=lambda now: now.box.reserve_given_up or _free(now) < 0.25 * _reserve_bytes(now),
        ends=lambda now: _free(now) > 3 * _reserve_bytes(now),
        begins_after_seconds=0,
        ends_after_seconds=30,
    ),
    Reaction(
        code="start_engine",
        words={
            "en": "Allerac starts its model again.",
            "de": "Allerac startet sein Modell neu.",
        },
        begins=lambda now: _engine_state(now) == "failed",
        ends=lambda now: _engine_state(now) != "failed",
        begins_after_seconds=20,
        ends_after_seconds=10,
        repeats_seconds=120,
    ),
)


@dataclass(slots=True)
class Reflexes:
    """Applies reactions to one moment after the other; those without a lever are left out."""

    levers: Mapping[str, Lever]
    reactions: Sequence[Reaction] = REACTIONS
    _underway: dict[str, Underway] = field(default_factory=dict)
    _since: dict[str, float] = field(default_factory=dict)
    _pulled: dict[str, float] = field(default_factory=dict)

    @property
    def underway(self) -> list[Underway]:
        """What is in force, in the order of the reactions."""
        return [self._underway[r.code] for r in self.reactions if r.code in self._underway]

    async def follow(self, now: Snapshot) -> None:
        """Begin, repeat and end what is due."""
        for reaction in self.reactions:
            lever = self.levers.get(reaction.code)
            if lever is None:
                continue
            if reaction.code in self._underway:
                await self._go_on(reaction, lever, now)
            elif self._lasts(
                reaction.code, reaction.begins(now), reaction.begins_after_seconds, now
            ):
                await self._begin(reaction, lever, now)

    async def _go_on(self, reaction: Reaction, lever: Lever, now: Snapshot) -> None:
        code, pause = reaction.code, reaction.repeats_seconds
        if self._lasts(code, reaction.ends(now), reaction.ends_after_seconds, now):
            if await _try(code, lever.let_go):
                del self._underway[code], self._since[code]
                log.info("reaction_ended", reaction=code)
        elif pause is not None and now.steady - self._pulled[code] >= pause:
            self._pulled[code] = now.steady
            await _try(code, lever.pull)

    async def _begin(self, reaction: Reaction, lever: Lever, now: Snapshot) -> None:
        code = reaction.code
        log.warning("reaction_begun", reaction=code)
        self._pulled[code] = now.steady
        if await _try(code, lever.pull) or reaction.repeats_seconds is not None:
            self._underway[code] = Underway(reaction, now.at)
            self._since.pop(code, None)

    def _lasts(self, code: str, holds: bool, seconds: float, now: Snapshot) -> bool:
        """Tell whether the condition that this reaction waits for has held long enough."""
        if not holds:
            self._since.pop(code, None)
            return False
        return now.steady - self._since.setdefault(code, now.steady) >= seconds


async def _try(code: str, act: Act) -> bool:
    try:
        await act()
    except AlleracError as error:
        log.warning("reaction_failed", reaction=code, reason=error.message)
        return False
    return True
