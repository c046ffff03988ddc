"""An engine elsewhere, which cuts, stalls, refuses, fails and talks nonsense."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from allerac.engine.breaker import CircuitBreaker
from allerac.engine.protocol import (
    CallPart,
    Delta,
    Likelihood,
    PromptMessage,
    Sampling,
    TokenLikelihood,
    ToolCall,
)
from allerac.engine.remote import RemoteEngine, RemotePlace
from allerac.engine.remote_address import check_url, resolve
from allerac.errors import (
    AlleracError,
    EngineStopped,
    EngineUnavailable,
    InvalidInput,
    NotFound,
    QueueFull,
)
from tests.engine.asking import request, text_of
from tests.engine.scripted_server import (
    DONE,
    STREAM,
    ScriptedServer,
    chunk,
    end,
    frame,
    scripted_server,
    status,
)

KEY = "sk-secret"
HELLO = (STREAM, chunk(role="assistant", content=""), chunk(content="Hel"), chunk(content="lo"))


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    async with scripted_server() as started:
        yield started


@pytest.fixture
def remote(server: ScriptedServer) -> RemoteEngine:
    return RemoteEngine(RemotePlace(server.url, KEY, allow_private=True), stall_seconds=1.0)


async def _ask(remote: RemoteEngine, sampling: Sampling | None = None) -> list[object]:
    asked = request("Hello", sampling=sampling or Sampling(max_tokens=5, stop=("x",)))
    return [event async for event in remote.generate(asked, "big-model")]


async def test_answer_comes_with_its_words_and_what_it_cost(
    server: ScriptedServer, remote: RemoteEngine
) -> None:
    usage = {"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 2}}
    server.plays(*HELLO, end("length"), frame(usage), DONE)
    *deltas, last = await _ask(remote)
    assert text_of(deltas) == "Hello"  # type: ignore[arg-type]
    assert (last.reason, last.usage.prompt_tokens, last.usage.completion_tokens) == ("length", 7, 2)  # type: ignore[attr-defined]
    ((first, headers, body),) = server.requests
    assert first.startswith("POST /v1/chat/completions ")
    assert headers["authorization"] == f"Bearer {KEY}"
    assert (body["model"], body["max_tokens"], body["stop"]) == ("big-model", 5, ["x"])


async def test_calls_of_tools_come_as_ours_do(server: ScriptedServer, remote: RemoteEngine) -> None:
    begin = {"index": 0, "id": "a", "function": {"name": "clock", "arguments": ""}}
    rest = {"index": 0, "function": {"arguments": "{}"}}
    server.plays(
        STREAM, chunk(tool_calls=[begin]), chunk(tool_calls=[rest]), end("tool_calls"), DONE
    )
    *deltas, last = await _ask(remote)
    calls = [call for delta in deltas if isinstance(delta, Delta) for call in delta.calls]
    assert calls == [CallPart(0, "clock", ""), CallPart(0, "", "{}")]
    assert last.reason == "tool_calls"  # type: ignore[attr-defined]


@pytest.mark.parametrize("first", [(), (status(500),), (status(503),), (STREAM,)])
async def test_what_has_sent_nothing_is_asked_once_more(
    server: ScriptedServer, remote: RemoteEngine, first: tuple[bytes, ...]
) -> None:
    server.plays(*first)
    server.plays(*HELLO, end(), DONE)
    assert text_of((await _ask(remote))[:-1]) == "Hello"  # type: ignore[arg-type]
    assert len(server.requests) == 2


async def test_what_fails_twice_is_unavailable(
    server: ScriptedServer, remote: RemoteEngine
) -> None:
    server.plays(status(500))
    server.plays(status(502))
    with pytest.raises(EngineUnavailable):
        await _ask(remote)
    assert len(server.requests) == 2


async def test_answer_that_breaks_off_ends_and_is_not_asked_again(
    server: ScriptedServer, remote: RemoteEngine
) -> None:
    server.plays(*HELLO)
    stream = remote.generate(request("Hello"), "m")
    assert [await anext(stream), await anext(stream)] == [Delta("Hel", 1), Delta("lo", 1)]
    with pytest.raises(EngineStopped):
        await anext(stream)
    assert len(server.requests) == 1


async def test_stall_in_the_middle_ends_the_answer(
    server: ScriptedServer, remote: RemoteEngine
) -> None:
    server.plays(*HELLO, asyncio.Event())
    with pytest.raises(EngineStopped):
        await _ask(remote)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (401, EngineUnavailable),
        (403, EngineUnavailable),
        (404, NotFound),
        (413, InvalidInput),
        (429, QueueFull),
        (400, InvalidInput),
        (422, InvalidInput),
        (418, EngineUnavailable),
        (302, EngineUnavailable),
    ],
)
async def test_refusal_is_told_and_not_repeated(
    server: ScriptedServer, remote: RemoteEngine, code: int, kind: type[AlleracError]
) -> None:
    server.plays(status(code))
    with pytest.raises(kind) as refused:
        await _ask(remote)
    assert KEY not in f"{refused.value.message}{refused.value.hint}"
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "nonsense",
    [
        b"data: not json\n\n",
        frame({"choices": "none"}),
        frame({"choices": [{"delta": {"content": 7}}]}),
        frame([1, 2]),
        b"data: " + b"x" * (2 << 20),
        frame({"error": {"message": "no"}}),
        frame({"choices": [{"delta": {}, "logprobs": {"content": [{"token": "a"}]}}]}),
        frame(
            {"choices": [{"delta": {}, "logprobs": {"content": [{"logprob": 0, "bytes": [-1]}]}}]}
        ),
    ],
)
async def test_nonsense_is_no_answer(
    server: ScriptedServer, remote: RemoteEngine, nonsense: bytes
) -> None:
    for _ in range(2):
        server.plays(STREAM, nonsense)
    with pytest.raises((EngineUnavailable, EngineStopped)):
        await _ask(remote)


async def test_nobody_waits_for_what_fails_again_and_again(server: ScriptedServer) -> None:
    now = [0.0]
    breaker = CircuitBreaker(failures=2, open_seconds=30, clock=lambda: now[0])
    place = RemotePlace(server.url, None, allow_private=True)
    remote = RemoteEngine(place, breaker=breaker)
    for _ in range(4):
        server.plays(status(500))
    for _ in range(2):
        with pytest.raises(EngineUnavailable):
            await _ask(remote)
    with pytest.raises(EngineUnavailable, match="several times"):
        await _ask(remote)
    assert len(server.requests) == 4
    now[0] = 31.0
    server.plays(*HELLO, end(), DONE)
    assert text_of((await _ask(remote))[:-1]) == "Hello"  # type: ignore[arg-type]
    assert not breaker.is_open


async def test_leaving_hangs_up(server: ScriptedServer, remote: RemoteEngine) -> None:
    server.plays(*HELLO, asyncio.Event())
    events = remote.generate(request("Hello"), "m")
    assert isinstance(await anext(events), Delta)
    await events.aclose()


async def test_models_are_listed(server: ScriptedServer, remote: RemoteEngine) -> None:
    server.plays(status(200, b'{"data": [{"id": "b"}, {"id": "a"}]}'))
    assert await remote.models() == ["a", "b"]
    server.plays(status(200, b"<html>"))
    with pytest.raises(EngineUnavailable):
        await remote.models()


async def test_what_is_asked_for_goes_along(server: ScriptedServer, remote: RemoteEngine) -> None:
    server.plays(*HELLO, end(), DONE)
    form = {"type": "json_schema", "json_schema": {"name": "a", "schema": {"default": None}}}
    sampling = Sampling(
        temperature=0.0,
        top_p=0.5,
        seed=0,
        stop=("a", "b"),
        max_tokens=9,
        frequency_penalty=0.5,
        presence_penalty=-0.5,
        logit_bias=((7, -100.0),),
        top_logprobs=2,
        grammar='root ::= "a"',
        response_format=json.dumps(form),
    )
    await _ask(remote, sampling)
    ((_, _, body),) = server.requests
    wanted = {
        "temperature": 0.0,
        "top_p": 0.5,
        "seed": 0,
        "stop": ["a", "b"],
        "max_tokens": 9,
        "frequency_penalty": 0.5,
        "presence_penalty": -0.5,
        "logit_bias": {"7": -100.0},
        "logprobs": True,
        "top_logprobs": 2,
        "response_format": form,
    }
    assert {name: body[name] for name in wanted} == wanted


async def test_what_is_not_asked_for_is_not_mentioned(
    server: ScriptedServer, remote: RemoteEngine
) -> None:
    server.plays(*HELLO, end(), DONE)
    await _ask(remote, Sampling())
    ((_, _, body),) = server.requests
    always = {"model", "messages", "stream", "stream_options", "temperature", "top_p"}
    assert set(body) == always


@pytest.mark.parametrize(
    ("required", "choice"),
    [
        ((), None),
        (("clock",), {"type": "function", "function": {"name": "clock"}}),
        (("clock", "door"), "required"),
    ],
)
async def test_tools_go_along_with_which_must_be_called(
    server: ScriptedServer, remote: RemoteEngine, required: tuple[str, ...], choice: object
) -> None:
    server.plays(*HELLO, end(), DONE)
    tools = [{"type": "function", "function": {"name": name}} for name in ("clock", "door")]
    asked = replace(request("Hello"), tools=tuple(map(json.dumps, tools)), required_tools=required)
    _ = [event async for event in remote.generate(asked, "m")]
    ((_, _, body),) = server.requests
    assert (body["tools"], body.get("tool_choice")) == (tools, choice)


async def test_calls_and_what_they_gave_back_go_along(
    server: ScriptedServer, remote: RemoteEngine
) -> None:
    server.plays(*HELLO, end(), DONE)
    messages = (
        PromptMessage("assistant", "", (ToolCall("c1", "clock", "{}"),)),
        PromptMessage("tool", "noon", tool_call_id="c1"),
    )
    asked = replace(request("Hello"), messages=messages)
    _ = [event async for event in remote.generate(asked, "m")]
    ((_, _, body),) = server.requests
    call = {"id": "c1", "type": "function", "function": {"name": "clock", "arguments": "{}"}}
    assert body["messages"] == [
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "content": "noon", "tool_call_id": "c1"},
    ]


async def test_likelihoods_come_as_ours_do(server: ScriptedServer, remote: RemoteEngine) -> None:
    best = [{"token": "Hi", "logprob": -0.25}, {"token": "\ufffd", "logprob": -2, "bytes": [195]}]
    told = {"content": [{**best[0], "top_logprobs": best}]}
    choice = {"index": 0, "delta": {"content": "Hi"}, "logprobs": told, "finish_reason": None}
    server.plays(STREAM, frame({"choices": [choice]}), chunk(content="!"), end(), DONE)
    first, second, _ = await _ask(remote, Sampling(top_logprobs=2))
    likely = Likelihood(b"Hi", -0.25)
    expected = TokenLikelihood(likely, (likely, Likelihood(b"\xc3", -2.0)))
    assert (first, second) == (Delta("Hi", 1, (expected,)), Delta("!", 1))


@pytest.mark.parametrize(
    ("sampling", "name"),
    [
        (Sampling(top_k=5), "top_k"),
        (Sampling(min_p=0.2), "min_p"),
        (Sampling(repeat_penalty=1.2), "repeat_penalty"),
        (Sampling(grammar='root ::= "a"'), "grammar"),
    ],
)
async def test_what_its_api_has_no_word_for_is_refused(
    server: ScriptedServer, remote: RemoteEngine, sampling: Sampling, name: str
) -> None:
    with pytest.raises(InvalidInput, match=name) as refused:
        await _ask(remote, sampling)
    assert list(refused.value.fields or ()) == [name]
    assert not server.requests


async def test_wrong_questions_do_not_make_it_seem_broken(server: ScriptedServer) -> None:
    remote = RemoteEngine(
        RemotePlace(server.url, None, allow_private=True), breaker=CircuitBreaker(failures=1)
    )
    for _ in range(2):
        server.plays(status(400))
        with pytest.raises(InvalidInput):
            await _ask(remote)
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/v1", "http://localhost/v1", "http://192.168.1.4/v1", "http://10.0.0.1",
        "http://169.254.169.254/latest", "http://[::1]/v1", "http://[fe80::1]/v1",
        "http://[::ffff:192.168.1.1]/v1", "http://0.0.0.0/v1", "http://2130706433/v1",
    ],
)  # fmt: skip
async def test_place_in_the_home_network_must_be_confirmed(url: str) -> None:
    with pytest.raises(InvalidInput):
        await resolve(url, allow_private=False)


@pytest.mark.parametrize("url", ["http://224.0.0.1/v1", "http://0.0.0.0/v1"])
async def test_what_is_no_single_machine_cannot_be_confirmed(url: str) -> None:
    with pytest.raises(InvalidInput):
        await resolve(url, allow_private=True)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a/v1", "https://", "https://a:b@c/v1", "https://a/v1?x=1", "https://a:99999/",
        "http://api.example.org/v1", "file:///etc/passwd", "https://a/" + "x" * 600,
    ],
)  # fmt: skip
def test_wrong_addresses_are_refused(url: str) -> None:
    with pytest.raises(InvalidInput):
        check_url(url, allow_private=False)
