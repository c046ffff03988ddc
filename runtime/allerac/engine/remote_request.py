"""A request as an engine elsewhere takes it, in the form of OpenAI's API.

What that API has no word for is refused rather than left out: an answer that was chosen by other
rules looks just as right.

Source: https://platform.openai.com/docs/api-reference/chat/create.
"""

import json
from typing import Any, Final

from allerac.engine.protocol import GenerationRequest, PromptMessage, Sampling
from allerac.errors import InvalidInput

_OURS_ALONE: Final = ("top_k", "min_p", "repeat_penalty")
_USUAL: Final = Sampling()


def body_of(request: GenerationRequest, model: str) -> dict[str, Any]:
    """Return what is posted. Raises `InvalidInput` for what cannot be asked elsewhere."""
    sampling, form = request.sampling, request.sampling.response_format
    _refuse_ours(sampling)
    body: dict[str, Any] = {
        "model": model,
        "messages": [_message(message) for message in request.messages],
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": max(sampling.temperature, 0.0),
        "top_p": sampling.top_p,
    }
    wishes = {
        "max_tokens": sampling.max_tokens,
        "seed": sampling.seed,
        "stop": list(sampling.stop) or None,
        "frequency_penalty": sampling.frequency_penalty or None,
        "presence_penalty": sampling.presence_penalty or None,
        "logit_bias": {str(token): bias for token, bias in sampling.logit_bias} or None,
        "logprobs": None if sampling.top_logprobs is None else True,
        "top_logprobs": sampling.top_logprobs,
        "response_format": None if form is None else json.loads(form),
        "tools": [json.loads(tool) for tool in request.tools] or None,
        "tool_choice": _choice(request),
    }
    return body | {name: value for name, value in wishes.items() if value is not None}


def _refuse_ours(sampling: Sampling) -> None:
    wrong = [name for name in _OURS_ALONE if getattr(sampling, name) != getattr(_USUAL, name)]
    if sampling.grammar is not None and sampling.response_format is None:
        wrong.append("grammar")
    if wrong:
        raise InvalidInput(
            f"A model elsewhere does not know {', '.join(wrong)}.",
            hint="Leave it out, or choose a model on this box.",
            fields=dict.fromkeys(wrong, "is for models on this box"),
        )


def _choice(request: GenerationRequest) -> Any:
    if len(request.required_tools) == 1:
        return {"type": "function", "function": {"name": request.required_tools[0]}}
    return "required" if request.required_tools else None


def _message(message: PromptMessage) -> dict[str, Any]:
    told: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.tool_calls:
        told["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for call in message.tool_calls
        ]
    if message.tool_call_id:
        told["tool_call_id"] = message.tool_call_id
    return told
