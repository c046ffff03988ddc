"""Answers in OpenAI's form, whole or as a stream of chunks.

The order of chunks follows https://platform.openai.com/docs/api-reference/chat-streaming: the role
first, then text, then an empty delta with the reason, for each choice; then usage when it was
asked for.
"""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from typing import Any, Literal

from allerac.chat.completions import Completion
from allerac.engine.protocol import (
    CallPart,
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
        choice, usage = await _choice(f"{completion.id}{index}", index, events)
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
    usages: list[Usage] = []
    try:
        async for choice in _choice_chunks(completion, usages):
            yield _data({**head, "choices": [choice], **tail})
    except AlleracError as error:
        yield _data({"error": openai_problem_of(error)})
        return
    if include_usage:
        yield _data({**head, "choices": [], "usage": _usage(usages).model_dump()})
    yield "data: [DONE]\n\n"


async def _choice_chunks(
    completion: Completion, usages: list[Usage]
) -> AsyncIterator[dict[str, Any]]:
    """Yield each chunk's one choice; what the choices cost is added to `usages`."""

    def chunk(index: int, delta: dict[str, Any], **more: Any) -> dict[str, Any]:
        return {"index": index, "delta": delta, "logprobs": None, "finish_reason": None, **more}

    for index in range(len(completion.choices)):
        yield chunk(index, {"role": "assistant", "content": ""})
    async with contextlib.aclosing(_merged(completion.choices)) as events:
        async for index, event in events:
            if isinstance(event, Delta):
                for told in _told(f"{completion.id}{index}", event):
                    yield chunk(index, **told)
            elif isinstance(event, Finished):
                yield chunk(index, {}, finish_reason=_reason(event))
                usages.append(event.usage)


async def _choice(
    completion_id: str, index: int, events: AsyncIterator[EngineEvent]
) -> tuple[shape.Choice, Usage]:
    text: list[str] = []
    calls: list[shape.MessageToolCall] = []
    likelihoods: list[TokenLikelihood] = []
    async for event in events:
        if isinstance(event, Delta):
            text.append(event.text)
            for part in event.calls:
                if part.index == len(calls):
                    calls.append(_begun_call(completion_id, part))
                calls[part.index].function.arguments += part.arguments
            likelihoods += event.likelihoods
        elif isinstance(event, Finished):
            choice = shape.Choice(
                index=index,
                message=shape.AnswerMessage(
                    content="".join(text) or (None if calls else ""), tool_calls=calls or None
                ),
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


def _told(completion_id: str, delta: Delta) -> Iterator[dict[str, Any]]:
    """The parts of the chunks that tell of `delta`."""
    if delta.text:
        likely = _logprobs(delta.likelihoods)
        yield {
            "delta": {"content": delta.text},
            "logprobs": likely.model_dump() if likely else None,
        }
    for call in delta.calls:
        yield {"delta": {"tool_calls": [_call_delta(completion_id, call)]}}


def _call_id(completion_id: str, part: CallPart) -> str:
    return f"call_{completion_id.replace('-', '')}{part.index}"


def _begun_call(completion_id: str, part: CallPart) -> shape.MessageToolCall:
    function = shape.CalledFunction.model_construct(name=part.name, arguments="")
    return shape.MessageToolCall.model_construct(
        id=_call_id(completion_id, part), type="function", function=function
    )


def _call_delta(completion_id: str, part: CallPart) -> dict[str, Any]:
    """The name comes first, with the id; pieces of the arguments follow."""
    if not part.name:
        return {"index": part.index, "function": {"arguments": part.arguments}}
    function = {"name": part.name, "arguments": part.arguments}
    call_id = _call_id(completion_id, part)
    return {"index": part.index, "id": call_id, "type": "function", "function": function}


def _reason(finished: Finished) -> Literal["stop", "length", "tool_calls"]:
    if finished.reason == "tool_calls":
        return "tool_calls"
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
