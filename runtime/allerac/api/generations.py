"""Answers on their way: follow from any device, stop from any device."""

from typing import Annotated

from fastapi import Header, Query
from fastapi.responses import StreamingResponse

from .auth import SignedIn
from .routing import API, router_at
from .services import ServicesOf
from .sse import EVENT_STREAM_HEADERS, event_frames, with_pings

router = router_at(f"{API}/generations", "generations")


@router.get(
    "/{generation_id}/events",
    operation_id="streamGeneration",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}}},
)
async def stream_generation(
    generation_id: str,
    principal: SignedIn,
    services: ServicesOf,
    after: Annotated[int, Query(ge=0)] = 0,
    last_event_id: Annotated[str | None, Header()] = None,
) -> StreamingResponse:
    """Follow an answer from event `after` (or `Last-Event-ID`) on; none is lost or doubled."""
    if last_event_id is not None and last_event_id.isdigit():
        after = int(last_event_id)
    events = await services.chat.open_events(principal.person.id, generation_id, after)
    watched = services.accounts.while_signed_in(principal, event_frames(events))
    return StreamingResponse(
        with_pings(watched), media_type="text/event-stream", headers=EVENT_STREAM_HEADERS
    )


@router.delete("/{generation_id}", operation_id="stopGeneration", status_code=204)
async def stop_generation(generation_id: str, principal: SignedIn, services: ServicesOf) -> None:
    """Stop an answer; what has been said stays."""
    await services.chat.stop_generation(principal.person.id, generation_id)
