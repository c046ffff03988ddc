"""Requests and likelihoods as they travel in frames: plain lists and objects of JSON."""

from collections.abc import Mapping, Sequence
from typing import Any

from allerac.engine.protocol import (
    CallPart,
    Delta,
    GenerationRequest,
    Likelihood,
    PromptMessage,
    Sampling,
    TokenLikelihood,
    ToolCall,
)

Values = Mapping[str, Any]


def decode_request(fields: Values) -> GenerationRequest:
    """The request that `dataclasses.asdict` took apart."""
    sampling = fields["sampling"]
    biases = tuple((token, bias) for token, bias in sampling["logit_bias"])
    stop = tuple(sampling["stop"])
    return GenerationRequest(
        **{
            **fields,
            "messages": decode_messages(fields["messages"]),
            "sampling": Sampling(**{**sampling, "stop": stop, "logit_bias": biases}),
            "tools": tuple(fields["tools"]),
            "required_tools": tuple(fields["required_tools"]),
        }
    )


def decode_messages(items: Sequence[Values]) -> tuple[PromptMessage, ...]:
    """The messages that `dataclasses.asdict` took apart."""
    return tuple(
        PromptMessage(
            item["role"],
            item["content"],
            tuple(ToolCall(**call) for call in item.get("tool_calls", ())),
            item.get("tool_call_id", ""),
        )
        for item in items
    )


def encode_delta(delta: Delta) -> tuple[object, ...]:
    """Text and tokens, and behind them what is seldom there."""
    if not delta.likelihoods and not delta.calls:
        return (delta.text, delta.tokens)
    calls = [(call.index, call.name, call.arguments) for call in delta.calls]
    return (delta.text, delta.tokens, _likelihoods(delta.likelihoods), calls)


def decode_delta(fields: Sequence[Any]) -> Delta:
    """What `encode_delta` made."""
    if len(fields) == 2:
        return Delta(fields[0], fields[1])
    calls = tuple(CallPart(*call) for call in fields[3])
    return Delta(fields[0], fields[1], _decoded_likelihoods(fields[2]), calls)


def _likelihoods(likelihoods: Sequence[TokenLikelihood]) -> list[object]:
    """Pairs of bytes and logarithm: the chosen one, then the best in its place."""
    return [[*_pair(item.chosen), *map(_pair, item.best)] for item in likelihoods]


def _decoded_likelihoods(items: Sequence[Any]) -> tuple[TokenLikelihood, ...]:
    return tuple(
        TokenLikelihood(_likelihood(item[:2]), tuple(map(_likelihood, item[2:]))) for item in items
    )


def _pair(likelihood: Likelihood) -> tuple[str, float]:
    return likelihood.piece.decode("latin-1"), likelihood.logprob


def _likelihood(pair: Sequence[Any]) -> Likelihood:
    return Likelihood(pair[0].encode("latin-1"), pair[1])
