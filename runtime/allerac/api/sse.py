"""Server-sent events: the parts that every stream shares.

Format: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

import asyncio
from collections.abc import AsyncIterator

PING_SECONDS = 15.0
"""Shorter than the idle time-outs of home routers and proxies (30 s and more)."""

EVENT_STREAM_HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
"""The second keeps nginx from holding text back."""


async def with_pings(
    frames: AsyncIterator[str], *, every_seconds: float = PING_SECONDS
) -> AsyncIterator[str]:
    """Pass `frames` on, with a comment line whenever nothing came for `every_seconds`."""
    iterator = aiter(frames)
    upcoming: asyncio.Task[str] | None = None
    try:
        while True:
            upcoming = upcoming or asyncio.ensure_future(_next(iterator))
            done, _ = await asyncio.wait({upcoming}, timeout=every_seconds)
            if not done:
                yield ": ping\n\n"
                continue
            frame, upcoming = upcoming.result(), None
            if not frame:
                return
            yield frame
    finally:
        if upcoming is not None:
            upcoming.cancel()
            await asyncio.gather(upcoming, return_exceptions=True)
        close = getattr(frames, "aclose", None)
        if close is not None:
            await close()


async def _next(iterator: AsyncIterator[str]) -> str:
    return await anext(iterator, "")
