"""The official client, unchanged, against a real box on a real port."""

import json
from collections.abc import Iterator

import httpx
import openai
import pytest
from openai.types.chat import ChatCompletionUserMessageParam

from tests.running_box import RunningBox, running_box

PASSAGE = "The wifi password is blue-otter-42.\n\nWhat is the wifi password?"


def _ask(text: str) -> list[ChatCompletionUserMessageParam]:
    return [{"role": "user", "content": text}]


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBox]:
    with running_box(tmp_path_factory.mktemp("box")) as started:
        yield started


@pytest.fixture(scope="module")
def key(box: RunningBox) -> str:
    steps: list[tuple[str, str, dict[str, object]]] = [
        ("PUT", "onboarding/language", {"language": "en"}),
        ("POST", "onboarding/claim", {"code": box.claim_code}),
        ("PUT", "onboarding/owner", {"name": "Ana", "password": "three quiet lanterns"}),
        ("PUT", "onboarding/recovery-saved", {}),
        ("PUT", "onboarding/box", {"name": "Kitchen", "time_zone": "UTC"}),
        ("PUT", "onboarding/model", {"model_id": "allerac-demo", "download": False}),
        ("PUT", "onboarding/privacy", {"automatic_updates": True, "update_hour": 3}),
        ("POST", "onboarding/finish", {}),
        ("POST", "api-keys", {"name": "program"}),
    ]
    made = ""
    with httpx.Client(base_url=f"{box.url}/api/v1/") as browser:
        for method, path, body in steps:
            response = browser.request(method, path, json=body)
            response.raise_for_status()
            made = response.json().get("key", "")
    return made


@pytest.fixture(scope="module")
def client(box: RunningBox, key: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{box.url}/v1", api_key=key, max_retries=8) as client:
        yield client


def test_models_on_board_are_listed_and_told(client: openai.OpenAI) -> None:
    assert [model.id for model in client.models.list()] == ["allerac-demo"]
    assert client.models.retrieve("allerac-demo").owned_by == "allerac"


def test_stream_brings_the_words_of_the_passage_in_the_order_of_the_api(
    client: openai.OpenAI,
) -> None:
    chunks = list(
        client.chat.completions.create(
            model="allerac-demo", messages=_ask(PASSAGE), temperature=0, stream=True
        )
    )
    assert chunks[0].choices[0].delta.role == "assistant"
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert "blue-otter-42" in text
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert all(chunk.choices and chunk.usage is None for chunk in chunks)
    assert len({(chunk.id, chunk.model, chunk.created) for chunk in chunks}) == 1


def test_usage_comes_last_when_it_is_asked_for(client: openai.OpenAI) -> None:
    chunks = list(
        client.chat.completions.create(
            model="allerac-demo",
            messages=_ask("Hello"),
            temperature=0,
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    assert chunks[-1].choices == []
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens > 0


def test_whole_answer_is_the_streamed_one(client: openai.OpenAI) -> None:
    whole = client.chat.completions.create(
        model="allerac-demo", messages=_ask(PASSAGE), temperature=0
    )
    assert "blue-otter-42" in (whole.choices[0].message.content or "")
    assert whole.usage is not None
    assert whole.usage.total_tokens == whole.usage.prompt_tokens + whole.usage.completion_tokens


def test_usage_tells_how_much_was_read_already(client: openai.OpenAI) -> None:
    asked = _ask(" ".join(f"The code of box {number} is {number * 7}." for number in range(30)))
    first, again = (
        client.chat.completions.create(
            model="allerac-demo", messages=asked, temperature=0, max_tokens=1
        ).usage
        for _ in "12"
    )
    assert first is not None
    assert again is not None
    assert first.prompt_tokens_details is not None
    assert again.prompt_tokens_details is not None
    assert (first.prompt_tokens_details.cached_tokens or 0) < 0.2 * first.prompt_tokens
    assert (again.prompt_tokens_details.cached_tokens or 0) > 0.9 * again.prompt_tokens


def test_max_tokens_and_stop_end_an_answer(client: openai.OpenAI) -> None:
    short = client.chat.completions.create(
        model="allerac-demo", messages=_ask("Count from 1 to 12."), temperature=0, max_tokens=3
    )
    assert short.choices[0].finish_reason == "length"
    stopped = client.chat.completions.create(
        model="allerac-demo", messages=_ask("Count from 1 to 12."), temperature=0, stop="4"
    )
    assert "3" in (stopped.choices[0].message.content or "")
    assert "4" not in (stopped.choices[0].message.content or "")


def test_the_same_seed_gives_the_same_answer(client: openai.OpenAI) -> None:
    answers = {
        client.chat.completions.create(
            model="allerac-demo",
            messages=_ask("Who are you?"),
            temperature=1.5,
            seed=7,
            max_tokens=8,
        )
        .choices[0]
        .message.content
        for _ in range(3)
    }
    assert len(answers) == 1


def test_unknown_model_is_told_in_the_apis_own_form(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as refused:
        client.chat.completions.create(model="none", messages=_ask("Hello"))
    assert isinstance(refused.value.body, dict)
    assert {"message", "type", "param", "code"} <= refused.value.body.keys()


def test_wrong_values_are_refused_with_the_parameter(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(model="allerac-demo", messages=_ask("Hello"), temperature=9)
    assert refused.value.param == "temperature"


def test_without_a_key_nothing_is_told(box: RunningBox) -> None:
    with (
        openai.OpenAI(base_url=f"{box.url}/v1", api_key="alr_wrong", max_retries=0) as stranger,
        pytest.raises(openai.AuthenticationError),
    ):
        stranger.models.list()


def test_prompt_longer_than_the_model_reads_is_refused(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(model="allerac-demo", messages=_ask("word " * 20_000))
    assert refused.value.code == "context_length_exceeded"


def test_answer_keeps_the_json_schema_that_was_asked_for(client: openai.OpenAI) -> None:
    schema = {
        "type": "object",
        "properties": {
            "password": {"type": "string", "minLength": 3, "maxLength": 20},
            "certainty": {"type": "integer", "minimum": 1, "maximum": 5},
        },
        "required": ["password", "certainty"],
        "additionalProperties": False,
    }
    answer = client.chat.completions.create(
        model="allerac-demo",
        messages=_ask(PASSAGE),
        response_format={
            "type": "json_schema",
            "json_schema": {"name": "found", "strict": True, "schema": schema},
        },
    )
    found = json.loads(answer.choices[0].message.content or "")
    assert found.keys() == {"password", "certainty"}
    assert 3 <= len(found["password"]) <= 20
    assert 1 <= found["certainty"] <= 5


def test_json_object_is_an_object(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(
        model="allerac-demo",
        messages=_ask("Hello"),
        response_format={"type": "json_object"},
        temperature=0.5,
        seed=1,
    )
    if answer.choices[0].finish_reason == "stop":
        assert isinstance(json.loads(answer.choices[0].message.content or ""), dict)


def test_schema_that_cannot_be_kept_is_refused_with_the_reason(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="multipleOf") as refused:
        client.chat.completions.create(
            model="allerac-demo",
            messages=_ask("Hello"),
            response_format={
                "type": "json_schema",
                "json_schema": {"name": "x", "schema": {"type": "integer", "multipleOf": 3}},
            },
        )
    assert refused.value.param == "response_format"


@pytest.mark.parametrize("stream", [False, True])
def test_logprobs_tell_each_token_and_the_best_in_its_place(
    client: openai.OpenAI, stream: bool
) -> None:
    asked = {"model": "allerac-demo", "messages": _ask("Hello"), "temperature": 0}
    asked |= {"logprobs": True, "top_logprobs": 3, "stream": stream}
    answer = client.chat.completions.create(**asked)  # type: ignore[call-overload]
    choices = [c.choices[0] for c in answer] if stream else [answer.choices[0]]
    tokens = [token for choice in choices if choice.logprobs for token in choice.logprobs.content]
    assert b"".join(bytes(token.bytes) for token in tokens) == b"Hello! How can I help you?"
    for token in tokens:
        best = token.top_logprobs[0]
        assert len(token.top_logprobs) == 3
        assert (best.token, best.logprob) == (token.token, token.logprob)
        assert token.logprob <= 0


def test_logit_bias_makes_a_token_certain_or_impossible(client: openai.OpenAI) -> None:
    def first_token(biases: dict[str, int]) -> list[int]:
        answer = client.chat.completions.create(
            model="allerac-demo",
            messages=_ask("Hello"),
            temperature=0,
            logprobs=True,
            max_tokens=1,
            logit_bias=biases,
        )
        said = answer.choices[0].logprobs
        return said.content[0].bytes or [] if said and said.content else []

    wanted = first_token({"300": 100})
    assert wanted
    assert wanted != first_token({})
    assert first_token({"300": -100}) == first_token({})
    assert first_token({"300": 100, "301": 100, "999999": 100}) != []


@pytest.mark.parametrize("stream", [False, True])
def test_n_answers_come_with_their_index(client: openai.OpenAI, stream: bool) -> None:
    asked = {"model": "allerac-demo", "messages": _ask("Hello"), "temperature": 0, "n": 3}
    answer = client.chat.completions.create(**asked, stream=stream)  # type: ignore[call-overload]
    texts = ["", "", ""]
    if stream:
        for chunk in answer:
            texts[chunk.choices[0].index] += chunk.choices[0].delta.content or ""
    else:
        texts = [choice.message.content for choice in answer.choices]
        assert answer.usage.completion_tokens % 3 == 0
    assert texts == ["Hello! How can I help you?"] * 3


def test_top_logprobs_without_logprobs_are_refused(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(model="allerac-demo", messages=_ask("Hi"), top_logprobs=2)
    assert refused.value.param == "top_logprobs"
