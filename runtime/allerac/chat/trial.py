"""Trying an assistant while it is being written: a talk that nobody keeps."""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from itertools import count
from typing import Final

import structlog

from allerac.engine.protocol import Engine, Finished, GenerationRequest
from allerac.errors import AlleracError, InvalidInput, QueueFull
from allerac.events import Event
from allerac.storage.ids import new_id
from allerac.storage.pages import is_text

from .context import Context
from .history import History
from .library import Brief, Library, NoLibrary, Question, Tried, with_passages
from .prompt import INSTRUCTIONS, Turn
from .records import ModelResolver
from .sampling import sampling_of
from .telling import problem_of, progress_of, usage_of

log = structlog.get_logger()

PER_PERSON: Final = 2
"""Answers of this kind that one person may have on their way."""


class TrialService:
    """Answers as the assistant would; what is said is with whoever says it, and nowhere else.

    No conversation, no memory and no trace of what was found is stored, and whoever leaves ends
    the answer.
    """

    def __init__(
        self,
        *,
        engine: Engine,
        models: ModelResolver,
        library: Library | None = None,
        instructions: str = INSTRUCTIONS,
    ) -> None:
        self._engine = engine
        self._models = models
        self._library = library or NoLibrary()
        self._context = Context(engine=engine, instructions=instructions)
        self._running: Counter[str] = Counter()

    async def answer(
        self, person_id: str, tried: Tried, turns: Sequence[Turn]
    ) -> AsyncIterator[Event]:
        """Return the events of the answer to the last of `turns`, as a generation has them.

        Raises `InvalidInput` unless both sides take turns and the person began and ends, `NotFound`
        for a model that the box does not know, `QueueFull`.
        """
        _check(turns)
        if tried.setting.model_id is not None:
            self._models.require_known(tried.setting.model_id)
        if self._running[person_id] >= PER_PERSON:
            raise QueueFull(
                "Several of your answers are still being made.",
                hint="Wait for one to end, or stop it.",
            )
        return self._events(person_id, tried, turns)

    async def _events(
        self, person_id: str, tried: Tried, turns: Sequence[Turn]
    ) -> AsyncIterator[Event]:
        numbers, finished = count(1), None
        self._running[person_id] += 1
        try:
            brief, request = await self._request(person_id, tried, turns)
            if brief.sources is not None:
                yield Event(next(numbers), "sources", brief.sources)
            async with aclosing(self._engine.generate(request)) as events:
                async for event in events:
                    if (told := progress_of(event)) is not None:
                        yield Event(next(numbers), *told)
                    elif isinstance(event, Finished):
                        finished = event
        except AlleracError as error:
            log.info("trial_not_answered", reason=error.code)
            yield Event(next(numbers), "error", problem_of(error))
        else:
            usage = usage_of(finished) if finished else None
            reason = _reason(finished)
            end = {"status": "complete", "finish_reason": reason, "usage": usage}
            yield Event(next(numbers), "done", end)
        finally:
            self._running[person_id] -= 1
            self._running += Counter()  # forgets whoever has none

    async def _request(
        self, person_id: str, tried: Tried, turns: Sequence[Turn]
    ) -> tuple[Brief, GenerationRequest]:
        wanted, answer_id = tried.setting.model_id, new_id()
        if wanted is None or not self._models.serves(wanted):
            wanted = await self._models.default_model_id()
        await self._models.ensure_loaded(wanted)
        earlier = [turn.content for turn in turns[:-1] if turn.role == "user"]
        question = Question(
            person_id=person_id,
            conversation_id="",
            answer_id=answer_id,
            text=turns[-1].content,
            before=earlier[-1] if earlier else "",
            context_tokens=self._context.limit_tokens,
        )
        brief = await self._library.rehearse(question, tried)
        read = History(with_passages(turns, {}, brief.passages), setting=brief.setting)
        fitting = await self._context.fit(read, wanted)
        return brief, GenerationRequest(
            request_id=answer_id,
            model_id=wanted,
            person_id=person_id,
            messages=self._context.compile(fitting),
            sampling=sampling_of(self._models, wanted, brief.setting),
        )


def _reason(finished: Finished | None) -> str:
    if finished is None:
        return "cancelled"
    return "stop" if finished.reason == "tool_calls" else finished.reason  # none was offered


def _check(turns: Sequence[Turn]) -> None:
    sides = ["user" if at % 2 == 0 else "assistant" for at in range(len(turns))]
    if len(turns) % 2 == 0 or [turn.role for turn in turns] != sides:
        raise InvalidInput("A message follows an answer.", fields={"turns": "must take turns"})
    if not all(turn.content.strip() for turn in turns):
        raise InvalidInput("The message is empty.", fields={"turns": "must not be empty"})
    if not all(is_text(turn.content) for turn in turns):
        raise InvalidInput("The message has broken characters.", fields={"turns": "is not text"})
