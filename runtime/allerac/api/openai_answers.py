"""Answers in OpenAI's form, whole or as a stream of chunks.

The order of chunks follows https://platform.openai.com/docs/api-reference/chat-streaming: the role
first, then text, then an empty delta with the reason, for each choice; then usage when it was
asked for.
"""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import Any, Literal

from allerac.chat.completions import Completion
from allerac.engine.protocol import (
    Delta,
    EngineEvent,
    Finished,
    Likelihood,
    TokenLikelihood,
    Usage,
)
from allerac.errors import AlleracError

from .errors import openai_problem_of
from .schemas import openai as shape


async def whole_answer(completion: Completion) -> shape.ChatCompletion:
    """Return the answer once every choice has ended."""
    choices, usages = [], []
    for index, events in enumerate(completion.choices):
        choice, usage = await _choice(index, events)
        choices.append(choice)
        usages.append(usage)
    return shape.ChatCompletion(
        id=f"chatcmpl-{completion.id}",
        created=int(time.time()),
        model=completion.model_id,
        choices=choices,
        usage=_usage(usages),
    )


async def answer_chunks(completion: Completion, include_usage: bool) -> AsyncIterator[str]:
    """Yield frames; an error after the first is told as a frame of its own."""
    head = {
        "id": f"chatcmpl-{completion.id}",
        "object": "chat.completion.chunk",
        "created": int(time.time()),
        "model": completion.model_id,
    }
    tail: dict[str, Any] = {"usage": None} if include_usage else {}
    usages = []

    def chunk(index: int, delta: dict[str, Any], **more: Any) -> str:
        choice = {"index": index, "delta": delta, "logprobs": None, "finish_reason": None}
        return _data({**head, "choices": [{**choice, **more}], **tail})

    for index in range(len(completion.choices)):
        yield chunk(index, {"role": "assistant", "content": ""})
    try:
        async with contextlib.aclosing(_merged(completion.choices)) as events:
            async for index, event in events:
                if isinstance(event, Delta) and event.text:
                    likely = _logprobs(event.likelihoods)
                    told = likely.model_dump() if likely else None
                    yield chunk(index, {"content": event.text}, logprobs=told)
                elif isinstance(event, Finished):
                    yield chunk(index, {}, finish_reason=_reason(event))
                    usages.append(event.usage)
    except AlleracError as error:
        yield _data({"error": openai_problem_of(error)})
        return
    if include_usage:
        yield _data({**head, "choices": [], "usage": _usage(usages).model_dump()})
    yield "data: [DONE]\n\n"


async def _choice(index: int, events: AsyncIterator[EngineEvent]) -> tuple[shape.Choice, Usage]:
    text: list[str] = []
    likelihoods: list[TokenLikelihood] = []
    async for event in events:
        if isinstance(event, Delta):
            text.append(event.text)
            likelihoods += event.likelihoods
        elif isinstance(event, Finished):
            choice = shape.Choice(
                index=index,
                message=shape.AnswerMessage(content="".join(text)),
                logprobs=_logprobs(likelihoods),
                finish_reason=_reason(event),
            )
            return choice, event.usage
    raise AlleracError("The answer ended without a reason.")


async def _merged(
    choices: Sequence[AsyncGenerator[EngineEvent, None]],
) -> AsyncGenerator[tuple[int, EngineEvent], None]:
    """Yield the events of all choices as they come; the first error ends all."""
    events: asyncio.Queue[tuple[int, EngineEvent | None]] = asyncio.Queue()

    async def pump(index: int) -> None:
        try:
            async with contextlib.aclosing(choices[index]) as choice:
                async for event in choice:
                    events.put_nowait((index, event))
        finally:
            events.put_nowait((index, None))

    tasks = [asyncio.create_task(pump(index)) for index in range(len(choices))]
    going = len(tasks)
    try:
        while going:
            index, event = await events.get()
            if event is None:
                going -= 1
                await tasks[index]
            else:
                yield index, event
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _usage(usages: Sequence[Usage]) -> shape.CompletionUsage:
    """What all choices cost together; they share one prompt."""
    prompt = usages[0].prompt_tokens if usages else 0
    generated = sum(usage.completion_tokens for usage in usages)
    cached = usages[0].cached_tokens if usages else 0
    return shape.CompletionUsage(
        prompt_tokens=prompt,
        completion_tokens=generated,
        total_tokens=prompt + generated,
        prompt_tokens_details=shape.PromptTokensDetails(cached_tokens=cached),
    )


def _reason(finished: Finished) -> Literal["stop", "length"]:
    return "length" if finished.reason in ("length", "repetition") else "stop"


def _logprobs(likelihoods: Sequence[TokenLikelihood]) -> shape.TokenLogprobs | None:
    if not likelihoods:
        return None
    content = [
        shape.TokenLogprob(
            **_logprob(item.chosen),
            top_logprobs=[shape.TopLogprob(**_logprob(best)) for best in item.best],
        )
        for item in likelihoods
    ]
    return shape.TokenLogprobs(content=content)


def _logprob(likelihood: Likelihood) -> dict[str, Any]:
    return {
        "token": likelihood.piece.decode("utf-8", "replace"),
        "logprob": likelihood.logprob,
        "bytes": list(likelihood.piece),
    }


def _data(body: dict[str, Any]) -> str:
    return f"data: {json.dumps(body, ensure_ascii=False, separators=(',', ':'))}\n\n"
