"""What a request may ask for, and how much address space the engine process takes."""

import math
from collections.abc import Sequence
from typing import Final

from allerac.engine.protocol import GenerationRequest, PromptMessage, Sampling
from allerac.errors import ContextTooLong, InvalidInput

BIASES_LIMIT: Final = 1024
LOGPROBS_LIMIT: Final = 20
GRAMMAR_CHARACTERS_LIMIT: Final = 1 << 20
STOP_STRINGS_LIMIT: Final = 16
STOP_CHARACTERS_LIMIT: Final = 256
# Words have 4 to 6 bytes a token; only long runs of one character come near this.
BYTES_PER_TOKEN_LIMIT: Final = 32
BYTES_PER_TOKEN_TYPICAL: Final = 4
# Measured on x86-64: 0.37 GB for interpreter, numpy and llama.cpp, and 88 MB for each thread (its
# stack and the arena that glibc reserves for it). Hardly any of it is ever filled: 65 MB in all.
PROCESS_ADDRESS_BYTES: Final = 512 << 20
THREAD_ADDRESS_BYTES: Final = 96 << 20


def check_request(request: GenerationRequest, context_length: int) -> None:
    """Raise `InvalidInput` or `ContextTooLong` where `request` can never be answered."""
    wrong = _wrong_sampling(request.sampling)
    if not request.messages:
        wrong["messages"] = "at least one message is needed"
    if wrong:
        raise InvalidInput("This request cannot be answered.", fields=wrong)
    check_size(request.messages, context_length)


def check_size(messages: Sequence[PromptMessage], context_length: int) -> None:
    """Raise `ContextTooLong`, with an estimate, for what is not worth counting exactly."""
    characters = sum(len(message.content) for message in messages)
    limit = context_length * BYTES_PER_TOKEN_LIMIT
    if characters > limit or (
        characters * 4 > limit
        and sum(len(m.content.encode("utf-8", "replace")) for m in messages) > limit
    ):
        raise ContextTooLong(characters // BYTES_PER_TOKEN_TYPICAL, context_length)


def address_space_bytes(memory_bytes: int, *, threads: int) -> int:
    """Return the address space of an engine process that may fill `memory_bytes` with a model."""
    return memory_bytes + PROCESS_ADDRESS_BYTES + threads * THREAD_ADDRESS_BYTES


def _wrong_sampling(sampling: Sampling) -> dict[str, str]:
    checks = {
        "temperature": (math.isfinite(sampling.temperature), "must be a number"),
        "top_p": (0.0 <= sampling.top_p <= 1.0, "must be between 0 and 1"),
        "min_p": (0.0 <= sampling.min_p <= 1.0, "must be between 0 and 1"),
        "top_k": (0 <= sampling.top_k < 1 << 31, "must be 0 or more"),
        "repeat_penalty": (
            0.0 < sampling.repeat_penalty <= 10.0,
            "must be more than 0, at most 10",
        ),
        "frequency_penalty": (-2.0 <= sampling.frequency_penalty <= 2.0, "must be from -2 to 2"),
        "presence_penalty": (-2.0 <= sampling.presence_penalty <= 2.0, "must be from -2 to 2"),
        "logit_bias": (
            len(sampling.logit_bias) <= BIASES_LIMIT
            and all(-100.0 <= bias <= 100.0 for _, bias in sampling.logit_bias),
            f"at most {BIASES_LIMIT} tokens, with values from -100 to 100",
        ),
        "top_logprobs": (
            sampling.top_logprobs is None or 0 <= sampling.top_logprobs <= LOGPROBS_LIMIT,
            f"must be from 0 to {LOGPROBS_LIMIT}",
        ),
        "grammar": (
            sampling.grammar is None or len(sampling.grammar) <= GRAMMAR_CHARACTERS_LIMIT,
            "is too large",
        ),
        "max_tokens": (
            sampling.max_tokens is None or sampling.max_tokens >= 1,
            "must be 1 or more",
        ),
        "stop": (
            len(sampling.stop) <= STOP_STRINGS_LIMIT
            and all(0 < len(stop) <= STOP_CHARACTERS_LIMIT for stop in sampling.stop),
            f"at most {STOP_STRINGS_LIMIT} texts of 1 to {STOP_CHARACTERS_LIMIT} characters",
        ),
    }
    return {name: text for name, (right, text) in checks.items() if not right}
