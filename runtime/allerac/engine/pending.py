"""Requests that wait for the engine's events, on the runtime's side."""

import asyncio

from allerac.engine.protocol import Delta, EngineEvent, GenerationRequest, Reading
from allerac.errors import AlleracError, EngineStopped


class Pending:
    """One request: what the engine has sent of its answer, and whether it may be sent again."""

    def __init__(self, request: GenerationRequest) -> None:
        self.request = request
        self.is_sent = False
        self.is_active = False
        self.has_text = False
        self._was_retried = False
        self._events: asyncio.Queue[EngineEvent | AlleracError] = asyncio.Queue()

    def put(self, event: EngineEvent | AlleracError) -> None:
        if isinstance(event, Reading):
            self.is_active = True
        elif isinstance(event, Delta):
            self.has_text = True
        self._events.put_nowait(event)

    def survives_restart(self) -> bool:
        """Whether the request goes to the next process: once, and while nobody has read a word."""
        if not self.is_sent:
            return True
        if self.has_text or self._was_retried:
            self.put(
                EngineStopped(
                    "The engine stopped in the middle of this answer.",
                    hint="It is starting again. Ask once more in a few seconds.",
                )
            )
            return False
        self._was_retried = True
        self.is_sent = self.is_active = False
        return True

    async def next_event(self) -> EngineEvent:
        """Wait for the next event; raises the error that ends the request."""
        event = await self._events.get()
        if isinstance(event, AlleracError):
            raise event
        return event
