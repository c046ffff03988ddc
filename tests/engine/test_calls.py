"""Calls of tools in what models of each family write, however it is cut into pieces."""

import json
from random import Random

import pytest

from allerac.engine.calls import Part, reader_for
from allerac.engine.families import FAMILIES, Family
from allerac.engine.protocol import CallPart

FAMILY = {family.name: family for family in FAMILIES}
ARGUMENTS = {"city": 'São "Paulo" }{', "days": [1, 2], "nested": {"a": {"b": None}}}
SPELLED = json.dumps(ARGUMENTS, ensure_ascii=False)

Calls = list[tuple[str, object]]


def _read(family: Family, pieces: list[str]) -> tuple[str, Calls]:
    reader = reader_for(family)
    parts: list[Part] = []
    for piece in pieces:
        parts += reader.push(piece)
    parts += reader.finish()
    calls: dict[int, tuple[str, str]] = {}
    for part in parts:
        if isinstance(part, CallPart):
            name, arguments = calls.get(part.index, ("", ""))
            calls[part.index] = (name + part.name, arguments + part.arguments)
    text = "".join(part for part in parts if isinstance(part, str))
    return text, [(name, json.loads(arguments)) for name, arguments in calls.values()]


def _cut(text: str, seed: int) -> list[str]:
    dice = Random(seed)  # noqa: S311 - variety, not secrecy
    pieces = []
    while text:
        size = dice.randint(1, 7)
        pieces.append(text[:size])
        text = text[size:]
    return pieces


SAID = {
    "hermes": f'<tool_call>\n{{"name": "weather", "arguments": {SPELLED}}}\n</tool_call>',
    "llama": f'{{"name": "weather", "parameters": {SPELLED}}}',
    "phi": f'<|tool_call|>[{{"name": "weather", "arguments": {SPELLED}}}]<|/tool_call|>',
    "gemma": '<|tool_call>call:weather{city:<|"|>São "Paulo" }{<|"|>,days:[1,2],'
    "nested:{a:{b:null}}}<tool_call|>",
    "gpt-oss": "<|channel|>analysis<|message|>They ask for weather.<|end|><|start|>assistant"
    f"<|channel|>commentary to=functions.weather <|constrain|>json<|message|>{SPELLED}<|call|>",
}


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("family", SAID)
def test_call_is_found_however_it_is_cut(family: str, seed: int) -> None:
    assert _read(FAMILY[family], _cut(SAID[family], seed)) == ("", [("weather", ARGUMENTS)])


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("family", ["hermes", "phi", "gemma"])
def test_text_before_a_call_is_said(family: str, seed: int) -> None:
    text, calls = _read(FAMILY[family], _cut(f"I look it up. {SAID[family]}", seed))
    assert text.strip() == "I look it up."
    assert calls == [("weather", ARGUMENTS)]


@pytest.mark.parametrize("seed", range(4))
def test_several_calls_keep_their_order(seed: int) -> None:
    call = '{{"name": "{}", "arguments": {{"n": {}}}}}'
    calls = [("one", {"n": 1}), ("two", {"n": 2})]
    hermes = "\n".join(
        f"<tool_call>\n{call.format(name, args['n'])}\n</tool_call>" for name, args in calls
    )
    listed = ", ".join(call.format(name, args["n"]) for name, args in calls)
    assert _read(FAMILY["hermes"], _cut(hermes, seed)) == ("", calls)
    phi = f"<|tool_call|>[{listed}]<|/tool_call|>"
    assert _read(FAMILY["phi"], _cut(phi, seed)) == ("", calls)
    llama = listed.replace("arguments", "parameters").replace("}, {", "}; {")
    assert _read(FAMILY["llama"], _cut(llama, seed)) == ("", calls)


@pytest.mark.parametrize("family", FAMILY)
def test_answer_without_a_call_is_text_and_nothing_is_lost(family: str) -> None:
    said = "1 < 2, {braces} and <tool_call is no mark.\nDone."
    whole = f"<|channel|>final<|message|>{said}" if family == "gpt-oss" else said
    for seed in range(5):
        assert _read(FAMILY[family], _cut(whole, seed)) == (said, [])


def test_thoughts_are_left_out_and_the_final_channel_is_said() -> None:
    said = (
        "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>Yes."
    )
    for seed in range(5):
        assert _read(FAMILY["gpt-oss"], _cut(said, seed)) == ("Yes.", [])


@pytest.mark.parametrize("broken", ["not json", '{"name": 7}', '{"arguments": {}}', '{"name": "a"'])
def test_what_is_no_call_after_all_is_text(broken: str) -> None:
    text, calls = _read(FAMILY["hermes"], [f"<tool_call>{broken}</tool_call>"])
    assert (text, calls) == (f"<tool_call>{broken}</tool_call>", [])
    assert _read(FAMILY["hermes"], [f"<tool_call>{broken}"]) == (f"<tool_call>{broken}", [])


def test_name_behind_its_arguments_is_found_too() -> None:
    said = '<tool_call>{"arguments": {"n": 1}, "name": "one"}</tool_call>'
    assert _read(FAMILY["hermes"], _cut(said, 1)) == ("", [("one", {"n": 1})])


def test_object_of_a_llama_that_is_no_call_is_text() -> None:
    assert _read(FAMILY["llama"], ['{"answer": 42}']) == ('{"answer": 42}', [])


def test_arguments_come_while_they_are_written() -> None:
    reader = reader_for(FAMILY["hermes"])
    first = reader.push('<tool_call>{"name": "one", "arguments": {"text": "be')
    then = reader.push("gin")
    assert first == [CallPart(0, "one", ""), CallPart(0, "", '{"text": "be')]
    assert then == [CallPart(0, "", "gin")]
