"""Waiting for the next item without losing sight of the time."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import TypeVar

Item = TypeVar("Item")


async def with_ticks(
    items: AsyncIterator[Item], *, every_seconds: float
) -> AsyncGenerator[Item | None, None]:
    """Yield `items`, and None each time that nothing has come for `every_seconds`.

    An item on its way is never lost to a tick. Closing the generator cancels what `items` waits
    for and closes it, so whoever leaves early uses `contextlib.aclosing`.
    """
    upcoming: asyncio.Task[tuple[Item, ...]] | None = None
    try:
        while True:
            upcoming = upcoming or asyncio.create_task(_next(items))
            done, _ = await asyncio.wait({upcoming}, timeout=every_seconds)
            if not done:
                yield None
                continue
            come, upcoming = upcoming.result(), None
            if not come:
                return
            yield come[0]
    finally:
        if upcoming is not None:
            upcoming.cancel()
            await asyncio.gather(upcoming, return_exceptions=True)
        if isinstance(items, AsyncGenerator):
            await items.aclose()


async def _next(items: AsyncIterator[Item]) -> tuple[Item, ...]:
    """Return the next item, or nothing at the end: a task cannot tell the end by an exception."""
    try:
        return (await anext(items),)
    except StopAsyncIteration:
        return ()
