"""Requests and likelihoods as they travel in frames: plain lists and objects of JSON."""

from collections.abc import Mapping, Sequence
from typing import Any

from allerac.engine.protocol import (
    GenerationRequest,
    Likelihood,
    PromptMessage,
    Sampling,
    TokenLikelihood,
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
        }
    )


def decode_messages(items: Sequence[Values]) -> tuple[PromptMessage, ...]:
    """The messages that `dataclasses.asdict` took apart."""
    return tuple(PromptMessage(item["role"], item["content"]) for item in items)


def encode_likelihoods(likelihoods: Sequence[TokenLikelihood]) -> list[object]:
    """Pairs of bytes and logarithm: the chosen one, then the best in its place."""
    return [[*_pair(item.chosen), *map(_pair, item.best)] for item in likelihoods]


def decode_likelihoods(fields: Sequence[Any]) -> tuple[TokenLikelihood, ...]:
    """What `encode_likelihoods` made, as the last field; () where there is none."""
    if not fields:
        return ()
    return tuple(
        TokenLikelihood(_likelihood(item[:2]), tuple(map(_likelihood, item[2:])))
        for item in fields[0]
    )


def _pair(likelihood: Likelihood) -> tuple[str, float]:
    return likelihood.piece.decode("latin-1"), likelihood.logprob


def _likelihood(pair: Sequence[Any]) -> Likelihood:
    return Likelihood(pair[0].encode("latin-1"), pair[1])
