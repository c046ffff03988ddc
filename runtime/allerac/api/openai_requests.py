"""What a program asks for in OpenAI's form, as the engine takes it."""

import asyncio
import json
from typing import Any

from allerac.engine.protocol import PromptMessage, Role, Sampling, ToolCall
from allerac.engine.schema import grammar_of, json_object_grammar
from allerac.errors import InvalidInput

from .schemas import openai as shape

_FILTERS = (
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "repeat_penalty",
    "frequency_penalty",
    "presence_penalty",
    "seed",
)


def messages_of(body: shape.ChatCompletionRequest) -> list[PromptMessage]:
    """Return the conversation; `developer` is today's name for `system`."""
    return [_message(message) for message in body.messages]


async def sampling_of(body: shape.ChatCompletionRequest) -> Sampling:
    """Return how to choose tokens. Raises `InvalidInput` for a form that cannot be kept."""
    stop = (body.stop,) if isinstance(body.stop, str) else tuple(body.stop or ())
    chosen: dict[str, Any] = {
        name: value for name in _FILTERS if (value := getattr(body, name)) is not None
    }
    return Sampling(
        stop=stop,
        max_tokens=body.max_completion_tokens or body.max_tokens,
        logit_bias=_biases(body.logit_bias or {}),
        top_logprobs=_top_logprobs(body),
        grammar=await asyncio.to_thread(_grammar, body.response_format),
        response_format=_form(body.response_format),
        **chosen,
    )


def _message(message: shape.ChatMessage) -> PromptMessage:
    content = message.content or ""
    if isinstance(content, list):
        content = "".join(part.text for part in content)
    role: Role = "system" if message.role == "developer" else message.role
    calls = tuple(
        ToolCall(call.id, call.function.name, call.function.arguments)
        for call in message.tool_calls or ()
    )
    return PromptMessage(role, content, calls, message.tool_call_id or "")


def tools_of(body: shape.ChatCompletionRequest) -> tuple[str, ...]:
    """Return the tools as JSON; none where none may be called."""
    if body.tool_choice == "none":
        return ()
    return tuple(
        json.dumps(tool.model_dump(exclude_none=True, exclude={"function": {"strict"}}))
        for tool in body.tools or ()
    )


def required_tools_of(body: shape.ChatCompletionRequest) -> tuple[str, ...]:
    """Return the names of tools of which one must be called. Raises `InvalidInput`."""
    names = tuple(tool.function.name for tool in body.tools or ())
    if isinstance(body.tool_choice, shape.ChosenTool):
        names = tuple(name for name in names if name == body.tool_choice.function.name)
    elif body.tool_choice != "required":
        return ()
    if not names:
        raise InvalidInput(
            "tool_choice: names no tool", fields={"tool_choice": "is not among the tools"}
        )
    if body.response_format is not None and body.response_format.type != "text":
        raise InvalidInput(
            "tool_choice: a call cannot have a response_format",
            fields={"tool_choice": "stands beside response_format"},
        )
    return names


def _biases(biases: dict[str, float]) -> tuple[tuple[int, float], ...]:
    if any(not token.isdecimal() for token in biases):
        raise InvalidInput(
            "logit_bias: keys are numbers of tokens", fields={"logit_bias": "has other keys"}
        )
    return tuple((int(token), bias) for token, bias in biases.items())


def _top_logprobs(body: shape.ChatCompletionRequest) -> int | None:
    if body.top_logprobs is not None and not body.logprobs:
        raise InvalidInput(
            "top_logprobs: needs logprobs", fields={"top_logprobs": "needs logprobs"}
        )
    return (body.top_logprobs or 0) if body.logprobs else None


def _form(wanted: shape.ResponseFormat | None) -> str | None:
    if wanted is None or wanted.type == "text":
        return None
    return json.dumps(wanted.model_dump(by_alias=True, exclude_none=True))


def _grammar(wanted: shape.ResponseFormat | None) -> str | None:
    if wanted is None or wanted.type == "text":
        return None
    if wanted.type == "json_object":
        return json_object_grammar()
    return grammar_of(wanted.json_schema.schema_)
