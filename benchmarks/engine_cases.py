"""What is measured of an engine: the same cases for ours and for llama.cpp's own server.

A prompt of random letters has as many tokens as letters, and is new each time unless a case says
otherwise. Answers are sampled as in a chat, by the same rules, and of a fixed length. Times are
seconds.
"""

import asyncio
import itertools
import random
import string
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

SHORT_PROMPT: Final = 32
ARRIVING_PROMPT: Final = 256
LONG_PROMPT: Final = 1024
COMMON_BEGINNING: Final = 192
CONVERSATION: Final = 2000
ENDLESS: Final = 2000

Figures = Mapping[str, float]


class Side(Protocol):
    """An engine that answers."""

    @property
    def pid(self) -> int:
        """The process that computes."""

    def stream(self, prompt: str, tokens: int, person: str = "ada") -> AsyncIterator[int]:
        """Yield how many tokens each event of an answer has brought."""


@dataclass(slots=True)
class Heard:
    """When the words of one answer came."""

    began: float
    tokens: int = 0
    at: list[float] = field(default_factory=list)

    @property
    def first(self) -> float:
        return self.at[0] - self.began

    @property
    def speed(self) -> float:
        """Tokens a second after the first."""
        return (self.tokens - 1) / (self.at[-1] - self.at[0])


def letters(count: int, beginning: str = "") -> str:
    """A text that nobody has read."""
    rest = "".join(random.choices(string.ascii_lowercase, k=count - len(beginning)))  # noqa: S311 - no secret
    return beginning + rest


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` of `values` do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


async def hear(side: Side, prompt: str, tokens: int, person: str = "ada") -> Heard:
    """Listen to one answer to its end."""
    heard = Heard(time.monotonic())
    await _listen(side, prompt, tokens, person, heard)
    return heard


async def _listen(side: Side, prompt: str, tokens: int, person: str, heard: Heard) -> None:
    async for count in side.stream(prompt, tokens, person):
        heard.at.append(time.monotonic())
        heard.tokens += count


async def decode(side: Side, tokens: int) -> Figures:
    """One stream, alone."""
    heard = await hear(side, letters(SHORT_PROMPT), tokens)
    return {"tokens a second, 1 stream": heard.speed}


def together(streams: int) -> Callable[[Side, int], Awaitable[Figures]]:
    """Return the case of so many short questions at once, each of another person."""

    async def measure(side: Side, tokens: int) -> Figures:
        began = time.monotonic()
        asked = (hear(side, letters(SHORT_PROMPT), tokens, f"p{n}") for n in range(streams))
        answers = await asyncio.gather(*asked)
        seconds = time.monotonic() - began
        total = sum(heard.tokens for heard in answers) / seconds
        return {f"tokens a second, {streams} streams": total}

    return measure


async def arriving(side: Side, tokens: int) -> Figures:
    """Eight people ask at the same moment."""
    asked = (hear(side, letters(ARRIVING_PROMPT), tokens, f"p{n}") for n in range(8))
    firsts = [heard.first for heard in await asyncio.gather(*asked)]
    return {
        "first token, 8 arrive together, p50": percentile(firsts, 0.5),
        "first token, 8 arrive together, p95": percentile(firsts, 0.95),
    }


async def arriving_alike(side: Side, tokens: int) -> Figures:
    """One person's program asks eight questions with the same beginning."""
    beginning = letters(COMMON_BEGINNING)
    asked = (hear(side, letters(ARRIVING_PROMPT, beginning), tokens) for _ in range(8))
    firsts = [heard.first for heard in await asyncio.gather(*asked)]
    return {
        "first token, 8 alike, p50": percentile(firsts, 0.5),
        "first token, 8 alike, p95": percentile(firsts, 0.95),
    }


async def gaps(side: Side, tokens: int) -> Figures:
    """Two stream for as long as two long prompts are read."""
    streams = [Heard(time.monotonic()) for _ in range(2)]
    listening = [
        asyncio.create_task(_listen(side, letters(SHORT_PROMPT), ENDLESS, f"p{n}", heard))
        for n, heard in enumerate(streams)
    ]
    await hear(side, letters(SHORT_PROMPT), tokens, "p2")  # both are under way by then
    began = time.monotonic()
    reading = (hear(side, letters(LONG_PROMPT), 2, f"r{n}") for n in range(2))
    await asyncio.gather(*reading)
    ended = time.monotonic()
    for task in listening:
        task.cancel()
    await asyncio.gather(*listening, return_exceptions=True)
    times = [
        later - earlier
        for heard in streams
        for earlier, later in itertools.pairwise([*heard.at, ended])
        if later > began
    ]
    return {"longest gaps while others are read, p99": percentile(times, 0.99)}


SIDE_BY_SIDE: Final[Mapping[str, Callable[[Side, int], Awaitable[Figures]]]] = {
    "decode": decode,
    "2": together(2),
    "4": together(4),
    "8": together(8),
    "arriving": arriving,
    "alike": arriving_alike,
    "gaps": gaps,
}


async def flood(side: Side, tokens: int) -> float:
    """One person floods; returns what another keeps of the speed that is had alone."""
    alone = (await hear(side, letters(SHORT_PROMPT), tokens, "bob")).speed
    flooding = [
        asyncio.create_task(hear(side, letters(ARRIVING_PROMPT), 4 * tokens, "ada"))
        for _ in range(12)
    ]
    await asyncio.sleep(1)  # until every place is taken; a figure, not a test
    try:
        crowded = (await hear(side, letters(SHORT_PROMPT), tokens, "bob")).speed
    finally:
        for task in flooding:
            task.cancel()
        await asyncio.gather(*flooding, return_exceptions=True)
    return crowded / alone
