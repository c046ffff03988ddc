"""Tools over OpenAI's API: the official client, the templates' forms, real tokens."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from tests.api.claimed_program import claimed_program
from tests.engine.parrot import write_parrot
from tests.engine.published import PHI, TEMPLATES
from tests.engine.tiny_model import write_tiny_model
from tests.running_box import RunningBox, running_box

WEATHER: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "Tells the weather of a place.",
        "parameters": {
            "type": "object",
            "properties": {
                "city": {"type": "string", "minLength": 2, "maxLength": 12},
                "days": {"type": "integer", "minimum": 1, "maximum": 7},
            },
            "required": ["city", "days"],
            "additionalProperties": False,
        },
    },
}
CLOCK: dict[str, Any] = {"type": "function", "function": {"name": "clock"}}
CALLED = '{"city": "Rome", "days": 2}'

FAMILIES: dict[str, tuple[str, list[str], list[str], str]] = {
    "qwen": (
        TEMPLATES["Qwen-Qwen2.5-7B-Instruct"],
        [
            "Let me look. ",
            "<tool_call>\n",
            '{"name": "weather", ',
            f'"arguments": {CALLED}',
            "}\n</tool_",
            "call>",
        ],
        ["<|im_start|>", "<|im_end|>"],
        "\n",
    ),
    "llama": (
        TEMPLATES["meta-llama-Llama-3.1-8B-Instruct"],
        ['{"name": "weather", ', '"parameters": ', CALLED, " }"],
        ["<|start_header_id|>", "<|eot_id|>"],
        "\n",
    ),
    "phi": (
        PHI,
        [
            "<|tool_call|>",
            '[{"name": "weather", "argu',
            f'ments": {CALLED}',
            "}]",
            "<|/tool_call|>",
        ],
        ["<|tool|>", "<|/tool|>", "<|tool_call|>", "<|/tool_call|>", "<|assistant|>", "<|end|>"],
        "<|assistant|>",
    ),
    "gemma": (
        TEMPLATES["google-gemma-4-31B-it-interleaved"],
        [
            "<|tool_call>",
            "call:weather{city:",
            '<|"|>',
            "Rome<",
            '|"|>',
            ",days:2}",
            "<tool_call|>",
        ],
        ["<|turn>", "<channel|>", "<|tool_call>", "<tool_call|>", '<|"|>', "<turn|>"],
        "<channel|>",
    ),
    "gpt-oss": (
        TEMPLATES["openai-gpt-oss-120b"],
        [
            "<|channel|>",
            "commentary to=functions.weather ",
            "<|constrain|>",
            "json",
            "<|message|>",
            CALLED,
        ],
        ["<|start|>", "<|channel|>", "<|constrain|>", "<|message|>", "<|end|>", "<|call|>"],
        "t",
    ),
}


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBox]:
    with running_box(tmp_path_factory.mktemp("box")) as started:
        yield started


@pytest.fixture(scope="module")
def program(box: RunningBox) -> Iterator[tuple[httpx.Client, str]]:
    with claimed_program(box) as browser_and_key:
        yield browser_and_key


@pytest.fixture(scope="module")
def models(
    program: tuple[httpx.Client, str], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """A parrot of each family and a model of random weights, on board; ids by name."""
    folder = tmp_path_factory.mktemp("models")
    files = {
        name: write_parrot(
            folder / f"{name}.gguf", said, template=template, control=control, after=after
        )
        for name, (template, said, control, after) in FAMILIES.items()
    }
    files["random"] = write_tiny_model(folder / "random.gguf", context_length=4096)
    return {name: _imported(program[0], name, path) for name, path in files.items()}


def _imported(browser: httpx.Client, name: str, path: Path) -> str:
    response = browser.post("models/import", json={"path": str(path), "title": name})
    response.raise_for_status()
    model_id: str = response.json()["id"]
    return model_id


@pytest.fixture(scope="module")
def client(box: RunningBox, program: tuple[httpx.Client, str]) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{box.url}/v1", api_key=program[1], max_retries=8) as made:
        yield made


def _ask(client: openai.OpenAI, model: str, **rest: Any) -> Any:
    asked = {
        "model": model,
        "messages": [{"role": "user", "content": "What is the weather in Rome?"}],
        "tools": [WEATHER],
        "temperature": 0,
    }
    return client.chat.completions.create(**{**asked, **rest})


@pytest.mark.parametrize("family", FAMILIES)
def test_call_of_each_family_comes_whole(
    client: openai.OpenAI, models: dict[str, str], family: str
) -> None:
    choice = _ask(client, models[family]).choices[0]
    assert choice.finish_reason == "tool_calls"
    (call,) = choice.message.tool_calls
    assert (call.type, call.function.name) == ("function", "weather")
    assert json.loads(call.function.arguments) == json.loads(CALLED)
    assert (choice.message.content or "").strip() == ("Let me look." if family == "qwen" else "")


@pytest.mark.parametrize("family", FAMILIES)
def test_call_of_each_family_comes_as_a_stream(
    client: openai.OpenAI, models: dict[str, str], family: str
) -> None:
    deltas = [
        call
        for chunk in _ask(client, models[family], stream=True)
        for call in chunk.choices[0].delta.tool_calls or ()
    ]
    assert deltas[0].id.startswith("call_")
    assert [delta.function.name for delta in deltas] == ["weather"] + [None] * (len(deltas) - 1)
    arguments = "".join(delta.function.arguments for delta in deltas)
    assert json.loads(arguments) == json.loads(CALLED)


def test_result_of_a_call_goes_back_to_the_model(
    client: openai.OpenAI, models: dict[str, str]
) -> None:
    first = _ask(client, models["qwen"])
    call = first.choices[0].message.tool_calls[0]
    messages = [
        {"role": "user", "content": "What is the weather in Rome?"},
        first.choices[0].message.model_dump(exclude_none=True),
        {"role": "tool", "tool_call_id": call.id, "content": "Sunny, 24 degrees"},
    ]
    after = _ask(client, models["qwen"], messages=messages)
    assert after.usage.prompt_tokens > first.usage.prompt_tokens
    assert after.choices[0].finish_reason in ("stop", "tool_calls")


@pytest.mark.parametrize(
    "choice", ["required", {"type": "function", "function": {"name": "weather"}}]
)
def test_model_that_knows_nothing_calls_the_tool_that_is_required(
    client: openai.OpenAI, models: dict[str, str], choice: Any
) -> None:
    answer = _ask(client, models["random"], tool_choice=choice, temperature=1, seed=3)
    (call,) = answer.choices[0].message.tool_calls
    arguments = json.loads(call.function.arguments)
    assert call.function.name == "weather"
    assert 2 <= len(arguments["city"]) <= 12
    assert 1 <= arguments["days"] <= 7
    assert answer.choices[0].finish_reason == "tool_calls"


@pytest.mark.parametrize("family", FAMILIES)
def test_required_call_keeps_the_form_of_each_family(
    client: openai.OpenAI, models: dict[str, str], family: str
) -> None:
    answer = _ask(client, models[family], tool_choice="required", temperature=1, seed=1)
    (call,) = answer.choices[0].message.tool_calls
    assert call.function.name == "weather"
    assert 1 <= json.loads(call.function.arguments)["days"] <= 7


def test_forbidden_tools_are_not_told(client: openai.OpenAI, models: dict[str, str]) -> None:
    told = _ask(client, models["qwen"], tools=[WEATHER, CLOCK])
    without = _ask(client, models["qwen"], tool_choice="none")
    assert without.choices[0].message.tool_calls is None
    assert without.usage.prompt_tokens < told.usage.prompt_tokens


def test_tool_that_is_not_there_cannot_be_required(
    client: openai.OpenAI, models: dict[str, str]
) -> None:
    missing = {"type": "function", "function": {"name": "radio"}}
    with pytest.raises(openai.BadRequestError) as refused:
        _ask(client, models["qwen"], tool_choice=missing)
    assert refused.value.param == "tool_choice"
