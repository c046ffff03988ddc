"""OpenAI's API over our engine: `/v1/models`, `/v1/chat/completions`.

The order of chunks follows https://platform.openai.com/docs/api-reference/chat-streaming: the role
first, then text, then an empty delta with the reason, then usage when it was asked for.
"""

import json
import time
from collections.abc import AsyncIterator
from typing import Any, Literal

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from allerac.chat.completions import Completion
from allerac.engine.protocol import Delta, Finished, PromptMessage, Role, Sampling, Usage
from allerac.errors import AlleracError, NotFound

from .auth import Program
from .errors import openai_problem_of
from .schemas import openai as shape
from .services import ServicesOf
from .sse import EVENT_STREAM_HEADERS, with_pings

router = APIRouter(prefix="/v1", tags=["openai"])


@router.get("/models", operation_id="openaiListModels")
async def list_models(_: Program, services: ServicesOf) -> shape.ModelObjectList:
    """List the models on board."""
    models = await services.completions.list_models()
    data = [shape.ModelObject(id=model.id, created=model.created) for model in models]
    return shape.ModelObjectList(data=data)


@router.get("/models/{model_id:path}", operation_id="openaiGetModel")
async def get_model(model_id: str, _: Program, services: ServicesOf) -> shape.ModelObject:
    """Tell about one model on board."""
    for model in await services.completions.list_models():
        if model.id == model_id:
            return shape.ModelObject(id=model.id, created=model.created)
    raise NotFound(f"The model “{model_id[:128]}” is not on this box.")


@router.post(
    "/chat/completions",
    operation_id="openaiChatCompletions",
    response_model=shape.ChatCompletion,
    responses={200: {"content": {"text/event-stream": {}}}},
)
async def chat_completions(
    body: shape.ChatCompletionRequest, principal: Program, services: ServicesOf
) -> shape.ChatCompletion | StreamingResponse:
    """Answer a list of messages, at once or as a stream."""
    completion = await services.completions.begin(
        principal.person.id,
        model_id=body.model,
        messages=[_prompt_message(message) for message in body.messages],
        sampling=_sampling(body),
    )
    if not body.stream:
        return await _whole(completion)
    include_usage = body.stream_options is not None and body.stream_options.include_usage
    frames = services.accounts.while_signed_in(principal, _chunks(completion, include_usage))
    return StreamingResponse(
        with_pings(frames), media_type="text/event-stream", headers=EVENT_STREAM_HEADERS
    )


def _prompt_message(message: shape.ChatMessage) -> PromptMessage:
    roles: dict[str, Role] = {"developer": "system"}
    role: Role = roles.get(message.role) or _role(message.role)
    content = message.content or ""
    if isinstance(content, list):
        content = "".join(part.text for part in content)
    return PromptMessage(role, content)


def _role(name: Literal["system", "developer", "user", "assistant"]) -> Role:
    return "system" if name == "developer" else name


def _sampling(body: shape.ChatCompletionRequest) -> Sampling:
    stop = (body.stop,) if isinstance(body.stop, str) else tuple(body.stop or ())
    chosen: dict[str, Any] = {
        name: value
        for name in ("temperature", "top_p", "top_k", "min_p", "repeat_penalty", "seed")
        if (value := getattr(body, name)) is not None
    }
    return Sampling(stop=stop, max_tokens=body.max_completion_tokens or body.max_tokens, **chosen)


def _usage(usage: Usage) -> shape.CompletionUsage:
    return shape.CompletionUsage(
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
        total_tokens=usage.prompt_tokens + usage.completion_tokens,
        prompt_tokens_details=shape.PromptTokensDetails(cached_tokens=usage.cached_tokens),
    )


def _reason(finished: Finished) -> Literal["stop", "length"]:
    return "length" if finished.reason == "length" else "stop"


async def _whole(completion: Completion) -> shape.ChatCompletion:
    text: list[str] = []
    async for event in completion.events:
        if isinstance(event, Delta):
            text.append(event.text)
        elif isinstance(event, Finished):
            answer = shape.AnswerMessage(content="".join(text))
            return shape.ChatCompletion(
                id=f"chatcmpl-{completion.id}",
                created=int(time.time()),
                model=completion.model_id,
                choices=[shape.Choice(message=answer, finish_reason=_reason(event))],
                usage=_usage(event.usage),
            )
    raise AlleracError("The answer ended without a reason.")


async def _chunks(completion: Completion, include_usage: bool) -> AsyncIterator[str]:
    head = {
        "id": f"chatcmpl-{completion.id}",
        "object": "chat.completion.chunk",
        "created": int(time.time()),
        "model": completion.model_id,
    }
    tail: dict[str, Any] = {"usage": None} if include_usage else {}

    def chunk(delta: dict[str, str], reason: str | None = None) -> str:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        return _data({**head, "choices": [choice], **tail})

    yield chunk({"role": "assistant", "content": ""})
    try:
        async for event in completion.events:
            if isinstance(event, Delta) and event.text:
                yield chunk({"content": event.text})
            elif isinstance(event, Finished):
                yield chunk({}, _reason(event))
                if include_usage:
                    usage = _usage(event.usage).model_dump()
                    yield _data({**head, "choices": [], "usage": usage})
    except AlleracError as error:
        yield _data({"error": openai_problem_of(error)})
        return
    yield "data: [DONE]\n\n"


def _data(body: dict[str, Any]) -> str:
    return f"data: {json.dumps(body, ensure_ascii=False, separators=(',', ':'))}\n\n"
