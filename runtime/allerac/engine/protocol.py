"""What an engine is, in plain values.

    async for event in engine.generate(request):
        match event:
            case Queued(position, eta_seconds): ...
            case Reading(done_tokens, total_tokens, cached_tokens): ...
            case Delta(text): ...
            case Finished(reason, usage): ...

A generation yields any number of `Queued` and `Reading`, then `Delta`s, then one `Finished`.
Whatever goes wrong is raised as a leaf of `allerac.errors`. Closing the generator cancels.
"""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

Role = Literal["system", "user", "assistant", "tool"]
Priority = Literal["interactive", "api", "background"]
FinishReason = Literal["stop", "length", "repetition", "tool_calls", "cancelled"]
KvType = Literal["f16", "q8_0"]
Purpose = Literal["chat", "embedding", "reranker"]
EngineState = Literal["stopped", "starting", "loading", "ready", "failed"]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call that the model has made; `arguments` is JSON as it was written."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class PromptMessage:
    """One turn of the conversation as the model's template renders it.

    An answer may have `tool_calls`; what a tool gave back has the role "tool" and says which call
    it belongs to.
    """

    role: Role
    content: str
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str = ""


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is chosen.

    `temperature` 0 or less takes the likeliest. `top_k` 0, `top_p` 1, `min_p` 0, `repeat_penalty`
    1 and the other penalties 0 switch that filter off. `logit_bias` has pairs of a token and what
    is added to its score. `max_tokens` None goes on until the model stops or its context is full.
    `grammar` (GBNF, its first rule `root`) is what the whole answer matches; an engine elsewhere
    is told of it by `response_format`, which is JSON in the form of OpenAI's API. `top_logprobs`
    asks for the likelihood of each token and of that many others; None for none.
    """

    temperature: float = 0.7
    top_p: float = 0.95
    top_k: int = 40
    min_p: float = 0.05
    repeat_penalty: float = 1.0
    seed: int | None = None
    stop: tuple[str, ...] = ()
    max_tokens: int | None = None
    frequency_penalty: float = 0.0
    presence_penalty: float = 0.0
    logit_bias: tuple[tuple[int, float], ...] = ()
    grammar: str | None = None
    response_format: str | None = None
    top_logprobs: int | None = None


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """One answer to make. `request_id` is unique; `person_id` bounds what cache is shared.

    Each of `tools` is JSON in the form of OpenAI's API. The answer calls one of `required_tools`,
    where there are any.
    """

    request_id: str
    model_id: str
    person_id: str
    messages: tuple[PromptMessage, ...]
    sampling: Sampling
    priority: Priority = "interactive"
    tools: tuple[str, ...] = ()
    required_tools: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Usage:
    """What an answer cost.

    `cached_tokens` of `prompt_tokens` were read in an earlier turn. `first_token_seconds` counts
    from the arrival of the request. `tokens_per_second` is the speed after the first token, None
    for fewer than two.
    """

    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    first_token_seconds: float
    tokens_per_second: float | None
    estimated_seconds: float | None = None
    """What was said of `first_token_seconds` when it was first told; None where nothing was."""


@dataclass(frozen=True, slots=True)
class Queued:
    """Waiting for its turn; `position` 1 is next.

    `eta_seconds`, here and below, is the time until the first word; None until speed is known.
    """

    position: int
    eta_seconds: float | None


@dataclass(frozen=True, slots=True)
class Reading:
    """The prompt is being read; `cached_tokens` of `done_tokens` were known already."""

    done_tokens: int
    total_tokens: int
    cached_tokens: int
    eta_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Likelihood:
    """A token's bytes and the natural logarithm of its probability."""

    piece: bytes
    logprob: float


@dataclass(frozen=True, slots=True)
class TokenLikelihood:
    """How likely a token of the answer was, and the likeliest in its place."""

    chosen: Likelihood
    best: tuple[Likelihood, ...] = ()


@dataclass(frozen=True, slots=True)
class CallPart:
    """A piece of the call with this `index`: its name first, then its arguments as they come."""

    index: int
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Delta:
    """Text of the answer, made of `tokens` tokens (0 when only held-back text is released).

    `calls` are pieces of the calls of tools that came with it. `likelihoods` has one for each token
    where they were asked for.
    """

    text: str
    tokens: int
    likelihoods: tuple[TokenLikelihood, ...] = ()
    calls: tuple[CallPart, ...] = ()


@dataclass(frozen=True, slots=True)
class Finished:
    """The last event of an answer; "repetition": it went round in circles and was cut."""

    reason: FinishReason
    usage: Usage


EngineEvent = Queued | Reading | Delta | Finished


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFile:
    """A model on disk and how to run it.

    A conversation may use `context_length` tokens; `cache_tokens` are kept in memory for all of
    them together (None: as many as one conversation), of which `sequences` are answered at once.
    `prefill_threads` None means `threads`. `memory_limit_bytes` bounds the address space of the
    engine process; None leaves it unbounded. For `embedding`, a text may use `context_length`.
    `prefix_store_bytes` of disk keep what was read over restarts; 0 keeps nothing. `processors`
    are those that compute, none means any; `in_order` gives each thread one of its own. `guesses`
    lets what stands in the prompt be guessed.
    """

    model_id: str
    path: Path
    context_length: int
    threads: int
    sequences: int = 4
    prefill_threads: int | None = None
    kv_type: KvType = "f16"
    memory_limit_bytes: int | None = None
    cache_tokens: int | None = None
    prefix_store_bytes: int = 0
    processors: tuple[int, ...] = ()
    in_order: bool = False
    purpose: Purpose = "chat"
    guesses: bool = True


@dataclass(frozen=True, slots=True)
class Speed:
    """Running averages in tokens per second; None until measured.

    `overhead_share` is what of a step's time is neither computing nor choosing tokens.
    """

    prefill_tokens_per_second: float | None = None
    decode_tokens_per_second: float | None = None
    overhead_share: float | None = None


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """The engine at this moment.

    `restarts` counts since `start`. On disk there is room for `kept_tokens` that were read.
    """

    state: EngineState
    model_id: str | None = None
    context_length: int | None = None
    active: int = 0
    waiting: int = 0
    restarts: int = 0
    pid: int | None = None
    last_error: str | None = None
    speed: Speed = field(default_factory=Speed)
    kept_tokens: int = 0


class Engine(Protocol):
    """What turns prompts into text; `EngineSupervisor` is the local one."""

    async def start(self) -> None:
        """Make the engine's process ready to load a model."""

    async def stop(self) -> None:
        """End running answers and the process."""

    async def load(self, model: ModelFile) -> None:
        """Load `model` and return when it answers; running answers are finished first.

        Raises `ModelDamaged` (the model that was loaded before is loaded again) or
        `EngineUnavailable`.
        """

    async def unload(self) -> None:
        """Free the model's memory once running answers are finished."""

    def generate(self, request: GenerationRequest) -> AsyncGenerator[EngineEvent, None]:
        """Answer `request`; `aclose` cancels within one step.

        Raises `ContextTooLong`, `InvalidInput`, `QueueFull`, `EngineUnavailable`, and
        `EngineStopped` when the engine ends after text was sent.
        """

    async def count_tokens(self, messages: Sequence[PromptMessage]) -> int:
        """Tokens of `messages` in the loaded model's template, with the answer's opening."""

    def status(self) -> EngineStatus:
        """The state at this moment, without asking the process."""
