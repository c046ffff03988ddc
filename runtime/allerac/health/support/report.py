"""What the bundle holds, in sections of lines; whoever sends it has read each of them."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Protocol

from .redact import Redactor

LINE_CHARACTERS: Final = 1000
"""Longer lines are cut: a log line is not."""


@dataclass(frozen=True, slots=True)
class Section:
    """Lines under a heading; `name` is a key of the page's words."""

    name: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SupportReport:
    """All sections, redacted, as of a moment."""

    made_at: datetime
    sections: tuple[Section, ...]


Source = Callable[[], Awaitable[Sequence[str] | Mapping[str, object]]]


class Names(Protocol):
    """Who lives here, so that no helper learns it."""

    async def __call__(self) -> Sequence[tuple[str, str]]:
        """Return names with the word that takes their place."""


class SupportService:
    """Asks each source and takes out what nobody else should see."""

    def __init__(
        self,
        sources: Mapping[str, Source],
        names: Names,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._sources = dict(sources)
        self._names = names
        self._clock = clock

    async def report(self) -> SupportReport:
        """Return the bundle; a source that fails says so in its section."""
        redact = Redactor(await self._names())
        sections = [
            Section(name, _redacted(await _ask(source), redact))
            for name, source in self._sources.items()
        ]
        return SupportReport(self._clock(), tuple(sections))


async def _ask(source: Source) -> list[str]:
    try:
        told = await source()
    except Exception as error:  # noqa: BLE001 - a broken part is what a bundle is asked for
        return [f"not available: {type(error).__name__}"]
    if isinstance(told, Mapping):
        return [f"{name}: {value}" for name, value in told.items()]
    return list(told)


def _redacted(lines: Sequence[str], redact: Redactor) -> tuple[str, ...]:
    """Redact as one text, for secrets that span lines; cut afterwards, so that no half is left."""
    text = redact("\n".join(line.replace("\r", "") for line in lines))
    return tuple(line[:LINE_CHARACTERS] for line in text.split("\n")) if text else ()
