"""Waiting with an eye on the time loses nothing and leaves nothing running."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allerac.api.sse import PING, with_pings
from allerac.events import with_ticks

SOON = 0.001


class Source:
    """Yields its items; at None it waits until `gate` is set. Knows whether it was closed."""

    def __init__(self, *items: str | None) -> None:
        self.gate = asyncio.Event()
        self.is_closed = False
        self._items = items

    async def __call__(self) -> AsyncIterator[str]:
        try:
            for item in self._items:
                if item is None:
                    await self.gate.wait()
                else:
                    yield item
        finally:
            self.is_closed = True


async def test_an_item_that_keeps_one_waiting_comes_after_the_ticks() -> None:
    source = Source("a", None, "b")
    seen: list[str | None] = []
    async for item in with_ticks(source(), every_seconds=SOON):
        seen.append(item)
        if seen.count(None) == 3:
            source.gate.set()
    assert seen[:4] == ["a", None, None, None]
    assert [item for item in seen if item is not None] == ["a", "b"]


@given(pauses=st.lists(st.integers(0, 3), max_size=12))
def test_whatever_the_pauses_every_item_comes_once_and_in_order(pauses: list[int]) -> None:
    async def items() -> AsyncIterator[int]:
        for number, pause in enumerate(pauses):
            for _ in range(pause):
                await asyncio.sleep(0)
            yield number

    async def read() -> list[int]:
        return [item async for item in with_ticks(items(), every_seconds=0) if item is not None]

    assert asyncio.run(read()) == list(range(len(pauses)))


async def test_whoever_leaves_early_ends_what_was_waited_for() -> None:
    source = Source("a", None, "b")
    async with aclosing(with_ticks(source(), every_seconds=SOON)) as ticking:
        assert await anext(ticking) == "a"
        assert await anext(ticking) is None
    assert source.is_closed


async def test_a_fault_of_the_source_is_the_readers_to_know() -> None:
    async def broken() -> AsyncIterator[str]:
        yield "a"
        raise RuntimeError("the source broke")

    ticking = with_ticks(broken(), every_seconds=60)
    assert await anext(ticking) == "a"
    with pytest.raises(RuntimeError, match="the source broke"):
        await anext(ticking)


async def test_a_silent_stream_is_kept_open_by_pings() -> None:
    source = Source("data: 1\n\n", None, "", "data: 2\n\n")
    seen: list[str] = []
    async for frame in with_pings(source(), every_seconds=SOON):
        seen.append(frame)
        if seen.count(PING) == 2:
            source.gate.set()
    assert seen[:3] == ["data: 1\n\n", PING, PING]
    assert [frame for frame in seen if frame != PING] == ["data: 1\n\n", "", "data: 2\n\n"]
