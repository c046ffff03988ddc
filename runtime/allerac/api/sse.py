"""Server-sent events: the parts that every stream shares.

Format: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

from allerac.events import Event, with_ticks

PING = ": ping\n\n"
PING_SECONDS = 15.0
"""Shorter than the idle time-outs of home routers and proxies (30 s and more)."""

EVENT_STREAM_HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
"""The second keeps nginx from holding text back."""


async def event_frames(events: AsyncIterator[Event]) -> AsyncIterator[str]:
    """Write the events of an answer as they come; whoever leaves early ends them."""
    try:
        async for event in events:
            data = json.dumps(event.data)
            yield f"id: {event.sequence}\nevent: {event.kind}\ndata: {data}\n\n"
    finally:
        if isinstance(events, AsyncGenerator):
            await events.aclose()


async def with_pings(
    frames: AsyncIterator[str], *, every_seconds: float = PING_SECONDS
) -> AsyncIterator[str]:
    """Pass `frames` on, with a comment line whenever nothing came for `every_seconds`."""
    async with aclosing(with_ticks(frames, every_seconds=every_seconds)) as ticking:
        async for frame in ticking:
            yield PING if frame is None else frame
