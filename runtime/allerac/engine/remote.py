"""An engine elsewhere, spoken to in the form of OpenAI's API, with the events of our own.

Only what the protocol needs: one streamed request, read line by line with limits. What has sent
nothing is asked once more; what breaks off in the middle of an answer ends it.

Source: https://platform.openai.com/docs/api-reference/chat-streaming.
"""

import json
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Final

import httpx

from allerac.engine.breaker import CircuitBreaker
from allerac.engine.protocol import (
    CallPart,
    Delta,
    EngineEvent,
    Finished,
    FinishReason,
    GenerationRequest,
    Likelihood,
    TokenLikelihood,
    Usage,
)
from allerac.engine.remote_address import Target, resolve
from allerac.engine.remote_request import body_of
from allerac.errors import (
    AlleracError,
    EngineStopped,
    EngineUnavailable,
    InvalidInput,
    NotFound,
    QueueFull,
)

TRIES: Final = 2
CONNECT_SECONDS: Final = 10.0
STALL_SECONDS: Final = 90.0  # a large model may think for long before its first word
LINE_CHARACTERS_LIMIT: Final = 1 << 20
ANSWER_CHARACTERS_LIMIT: Final = 8 << 20
_CHARACTERS_PER_TOKEN: Final = 4
_REASONS: Final[dict[str, FinishReason]] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "content_filter": "stop",
}


@dataclass(frozen=True, slots=True)
class RemotePlace:
    """Where and as whom to ask. `key` None sends none."""

    base_url: str
    key: str | None
    allow_private: bool


class _NotAnswering(Exception):  # noqa: N818 - becomes one, unless the second try succeeds
    """Nothing was sent yet, and asking again may help."""

    def __init__(self, error: AlleracError) -> None:
        super().__init__(error.message)
        self.error = error


class RemoteEngine:
    """One remote address."""

    def __init__(
        self,
        place: RemotePlace,
        *,
        breaker: CircuitBreaker | None = None,
        stall_seconds: float = STALL_SECONDS,
        connect_seconds: float = CONNECT_SECONDS,
    ) -> None:
        self._place = place
        self._breaker = breaker or CircuitBreaker()
        self._timeout = httpx.Timeout(stall_seconds, connect=connect_seconds)

    async def models(self) -> list[str]:
        """Return what is offered there. Raises `EngineUnavailable`, `InvalidInput`."""
        target = await resolve(self._place.base_url, allow_private=self._place.allow_private)
        async with httpx.AsyncClient(timeout=self._timeout, trust_env=False) as client:
            try:
                response = await client.get(f"{target.url}/models", **self._told(target))
                _check(response.status_code)
                items = response.json()["data"]
                return sorted(str(item["id"])[:128] for item in items)[:1000]
            except httpx.HTTPError as err:
                raise _silent() from err
            except _NotAnswering as err:
                raise err.error from err
            except (ValueError, KeyError, TypeError) as err:
                raise _garbled() from err

    async def generate(
        self, request: GenerationRequest, model: str
    ) -> AsyncGenerator[EngineEvent, None]:
        """Have `model` answer `request`; see `Engine.generate`."""
        body = body_of(request, model)
        self._breaker.enter()
        for attempt in range(1, TRIES + 1):
            try:
                async with aclosing(self._answer(request, body)) as events:
                    async for event in events:
                        yield event
            except _NotAnswering as err:
                if attempt == TRIES:
                    self._breaker.fail()
                    raise err.error from err
            except (EngineStopped, EngineUnavailable):
                self._breaker.fail()
                raise
            else:
                self._breaker.succeed()
                return

    async def _answer(
        self, request: GenerationRequest, body: dict[str, Any]
    ) -> AsyncGenerator[EngineEvent, None]:
        target = await resolve(self._place.base_url, allow_private=self._place.allow_private)
        reading = _Reading(request)
        try:
            async with (
                httpx.AsyncClient(timeout=self._timeout, trust_env=False) as client,
                client.stream(
                    "POST", f"{target.url}/chat/completions", json=body, **self._told(target)
                ) as response,
            ):
                _check(response.status_code)
                async for line in _lines(response):
                    for event in reading.take(line):
                        yield event
                    if reading.is_done:
                        break
        except (httpx.HTTPError, httpx.StreamError) as err:
            if not reading.has_sent:
                raise _NotAnswering(_silent()) from err
            raise _broken_off() from err
        yield reading.finished()

    def _told(self, target: Target) -> dict[str, Any]:
        headers = {"Host": target.netloc, "Accept-Encoding": "identity"}
        if self._place.key:
            headers["Authorization"] = f"Bearer {self._place.key}"
        return {"headers": headers, "extensions": {"sni_hostname": target.host}}


class _Reading:
    """One answer as its lines come."""

    def __init__(self, request: GenerationRequest) -> None:
        self._request = request
        self._started = time.monotonic()
        self._first_at: float | None = None
        self._reason: FinishReason | None = None
        self._usage: dict[str, Any] = {}
        self._characters = self._size = 0
        self.is_done = False

    @property
    def has_sent(self) -> bool:
        return self._first_at is not None

    def take(self, line: str) -> list[EngineEvent]:
        """Read a line. Raises `EngineUnavailable` or `EngineStopped` for one of another form."""
        if not line.startswith("data:"):
            return []
        text = line.removeprefix("data:").strip()
        if text == "[DONE]":
            self.is_done = True
            return []
        try:
            return self._events(json.loads(text))
        except (ValueError, KeyError, TypeError, AttributeError, IndexError) as err:
            raise _broken_off() if self.has_sent else _garbled() from err

    def finished(self) -> Finished:
        """The last event. Raises `EngineStopped` where the answer has no end."""
        if self._reason is None:
            if self.has_sent:
                raise _broken_off()
            raise _NotAnswering(_garbled())
        now = time.monotonic()
        first = self._first_at or now
        prompt = sum(len(message.content) for message in self._request.messages)
        completion = self._counted("completion_tokens", self._characters)
        seconds = now - first
        details = self._usage.get("prompt_tokens_details") or {}
        usage = Usage(
            prompt_tokens=self._counted("prompt_tokens", prompt),
            cached_tokens=int(details.get("cached_tokens") or 0),
            completion_tokens=completion,
            first_token_seconds=first - self._started,
            tokens_per_second=(completion - 1) / seconds if completion > 1 and seconds else None,
        )
        return Finished(self._reason, usage)

    def _counted(self, name: str, characters: int) -> int:
        value = self._usage.get(name)
        return value if isinstance(value, int) else characters // _CHARACTERS_PER_TOKEN

    def _events(self, chunk: dict[str, Any]) -> list[EngineEvent]:
        if chunk.get("error"):
            raise _broken_off() if self.has_sent else _silent()
        if isinstance(usage := chunk.get("usage"), dict):
            self._usage = usage
        for choice in chunk.get("choices") or ():
            if choice.get("finish_reason"):
                self._reason = _REASONS.get(choice["finish_reason"], "stop")
            delta = choice.get("delta") or {}
            text = delta.get("content") or ""
            calls = tuple(map(_call_part, delta.get("tool_calls") or ()))
            told = (choice.get("logprobs") or {}).get("content") or ()
            likelihoods = tuple(map(_token_likelihood, told))
            if text or calls or likelihoods:
                self._first_at = self._first_at or time.monotonic()
                self._characters += len(text)
                self._size += len(text) + len(likelihoods) + sum(len(c.arguments) for c in calls)
                if self._size > ANSWER_CHARACTERS_LIMIT:
                    raise _broken_off()
                return [Delta(str(text), max(1, len(likelihoods)), likelihoods, calls)]
        return []


async def _lines(response: httpx.Response) -> AsyncIterator[str]:
    """Yield the lines of a response, none of them longer than we read."""
    held = ""
    async for text in response.aiter_text():
        held += text
        *lines, held = held.split("\n")
        for line in lines:
            yield line.rstrip("\r")
        if len(held) > LINE_CHARACTERS_LIMIT:
            raise httpx.StreamError("line too long")
    if held:
        yield held


def _call_part(call: dict[str, Any]) -> CallPart:
    function = call.get("function") or {}
    return CallPart(
        int(call["index"]), str(function.get("name") or ""), str(function.get("arguments") or "")
    )


def _token_likelihood(told: dict[str, Any]) -> TokenLikelihood:
    best = told.get("top_logprobs") or ()
    return TokenLikelihood(_likelihood(told), tuple(map(_likelihood, best)))


def _likelihood(told: dict[str, Any]) -> Likelihood:
    spelled = told.get("bytes")
    piece = str(told["token"]).encode("utf-8", "replace") if spelled is None else bytes(spelled)
    return Likelihood(piece, float(told["logprob"]))


def _check(status: int) -> None:
    if status == httpx.codes.OK:
        return
    if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        raise EngineUnavailable(
            "The remote engine refuses the key.", hint="The owner can enter another one."
        )
    if status == httpx.codes.NOT_FOUND:
        raise NotFound("The remote engine does not have this model.")
    if status == httpx.codes.TOO_MANY_REQUESTS:
        raise QueueFull("The remote engine has too much to do.", hint="Try again in a moment.")
    if status == httpx.codes.REQUEST_ENTITY_TOO_LARGE:
        raise InvalidInput("The conversation is longer than the remote engine reads.")
    if status in (httpx.codes.BAD_REQUEST, httpx.codes.UNPROCESSABLE_ENTITY):
        raise InvalidInput(
            "The remote engine does not take this request: it may be too long, or ask for what is "
            "not known there.",
            hint="Ask for less, or choose another model.",
        )
    if status < httpx.codes.INTERNAL_SERVER_ERROR:
        raise EngineUnavailable(f"The remote engine refuses the request (status {status}).")
    raise _NotAnswering(EngineUnavailable(f"The remote engine fails (status {status})."))


def _silent() -> EngineUnavailable:
    return EngineUnavailable(
        "The remote engine does not answer.", hint="Try again, or choose a model on this box."
    )


def _garbled() -> EngineUnavailable:
    return EngineUnavailable(
        "What answers at the remote engine's address is no such engine.",
        hint="The owner can check the address.",
    )


def _broken_off() -> EngineStopped:
    return EngineStopped(
        "The remote engine broke off in the middle of this answer.", hint="Ask once more."
    )
