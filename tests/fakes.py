"""Parts that behave as a test tells them to; each implements the protocol of the real one."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Sequence

from allerac.engine.protocol import (
    Delta,
    EngineEvent,
    EngineStatus,
    Finished,
    GenerationRequest,
    ModelFile,
    PromptMessage,
    Usage,
)
from allerac.errors import Conflict, NotFound

Step = EngineEvent | Exception | asyncio.Event

USAGE = Usage(
    prompt_tokens=20,
    cached_tokens=0,
    completion_tokens=5,
    first_token_seconds=0.1,
    tokens_per_second=10.0,
)


def said(*texts: str, usage: Usage = USAGE) -> tuple[Step, ...]:
    """Return the steps of an answer that says `texts` and ends well."""
    return (*(Delta(text, 1) for text in texts), Finished("stop", usage))


class FakeEngine:
    """Plays one script per request: yields events, raises exceptions, waits for `asyncio.Event`s.

    Without a script it says "Hello." `closed` has the requests that were left before their end.
    """

    def __init__(self) -> None:
        self.requests: list[GenerationRequest] = []
        self.closed: list[str] = []
        self.active = 0
        self.count_failure: Exception | None = None
        self._scripts: deque[tuple[Step, ...]] = deque()

    def plays(self, *steps: Step) -> None:
        """Add the script of the next request that has none."""
        self._scripts.append(steps)

    async def start(self) -> None:
        """Nothing to start."""

    async def stop(self) -> None:
        """Nothing to stop."""

    async def load(self, model: ModelFile) -> None:
        """Every model is loaded."""

    async def unload(self) -> None:
        """Nothing to free."""

    async def generate(self, request: GenerationRequest) -> AsyncGenerator[EngineEvent, None]:
        """Play the next script."""
        self.requests.append(request)
        steps = self._scripts.popleft() if self._scripts else said("Hello.")
        self.active += 1
        try:
            for step in steps:
                if isinstance(step, asyncio.Event):
                    await step.wait()
                elif isinstance(step, Exception):
                    raise step
                else:
                    yield step
        except (asyncio.CancelledError, GeneratorExit):
            self.closed.append(request.request_id)
            raise
        finally:
            self.active -= 1

    async def count_tokens(self, messages: Sequence[PromptMessage]) -> int:
        """Count a token per word, or fail with `count_failure`."""
        if self.count_failure is not None:
            raise self.count_failure
        return sum(len(message.content.split()) for message in messages)

    def status(self) -> EngineStatus:
        """Ready, with as many active answers as are being played."""
        return EngineStatus(
            state="ready", model_id="small", context_length=1000, active=self.active
        )


class FakeModels:
    """One model that answers, "small"; `absent` are known and not on board."""

    def __init__(self) -> None:
        self.absent: set[str] = set()

    async def default_model_id(self) -> str:
        """The one there is."""
        return "small"

    def require_known(self, model_id: str) -> None:
        """Raise `NotFound` for any other."""
        if model_id != "small" and model_id not in self.absent:
            raise NotFound("There is no such model.")

    def serves(self, model_id: str) -> bool:
        """Tell whether it is that one."""
        return model_id == "small"

    async def ensure_loaded(self, model_id: str) -> None:
        """Raise `Conflict` for one that is not on board, `NotFound` for any other."""
        self.require_known(model_id)
        if not self.serves(model_id):
            raise Conflict("This model is not on the box yet.", hint="Download it first.")

    def is_greedy(self, model_id: str) -> bool:
        """Never."""
        return False

    def answer_tokens(self, model_id: str) -> int:
        """A hundred, whichever it is."""
        return 100
