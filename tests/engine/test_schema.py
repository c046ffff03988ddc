"""Answers in the form of a JSON schema, from a model of random weights that knows nothing of it."""

import asyncio
import json
import re
from collections.abc import Callable, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from ipaddress import IPv4Address
from pathlib import Path
from uuid import UUID

import jsonschema
import pytest

from allerac.engine.protocol import Sampling
from allerac.engine.schema import Bounds, grammar_of, json_object_grammar
from allerac.engine.schema_numbers import integer_between
from allerac.engine.supervisor import EngineSupervisor
from allerac.errors import InvalidInput
from tests.engine.asking import end_of, events_of, random_model, request, text_of
from tests.engine.schemas import Schema, generated_schema

SCHEMAS = 1000
AT_ONCE = 8


def _formats() -> jsonschema.FormatChecker:
    """Return what holds texts to their formats, which jsonschema mostly does not by itself."""
    checker = jsonschema.FormatChecker(formats=())
    parsers: dict[str, Callable[[str], object]] = {
        "date": date.fromisoformat,
        "time": time.fromisoformat,
        "date-time": datetime.fromisoformat,
        "uuid": UUID,
        "ipv4": IPv4Address,
    }
    for name, parse in parsers.items():
        checker.checkers[name] = (_parses(parse), ValueError)
    return checker


def _parses(parse: Callable[[str], object]) -> Callable[[object], bool]:
    return lambda value: not isinstance(value, str) or bool(parse(value))


FORMATS = _formats()


async def _documents(
    engine: EngineSupervisor, grammars: Sequence[str], temperature: float = 1.0
) -> list[str]:
    """Answer each of `grammars`; every answer must have ended by itself."""

    async def one(seed: int, grammar: str) -> str:
        sampling = Sampling(temperature=temperature, top_k=0, top_p=1.0, seed=seed, grammar=grammar)
        events = await events_of(engine, request("?", model="random", sampling=sampling))
        assert end_of(events).reason == "stop", text_of(events)
        return text_of(events)

    return list(await asyncio.gather(*(one(seed, text) for seed, text in enumerate(grammars))))


async def _check(engine: EngineSupervisor, first: int, last: int) -> None:
    for start in range(first, last, AT_ONCE):
        schemas = [generated_schema(number) for number in range(start, min(start + AT_ONCE, last))]
        texts = await _documents(engine, [grammar_of(schema) for schema in schemas])
        for schema, text in zip(schemas, texts, strict=True):
            jsonschema.validate(json.loads(text), schema, format_checker=FORMATS)


@pytest.fixture
async def random(supervisor: EngineSupervisor, tiny_path: Path) -> EngineSupervisor:
    await supervisor.load(random_model(tiny_path, sequences=AT_ONCE))
    return supervisor


async def test_answers_to_generated_schemas_are_valid(random: EngineSupervisor) -> None:
    await _check(random, 0, 48)


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_answers_to_a_thousand_generated_schemas_are_valid(random: EngineSupervisor) -> None:
    await _check(random, 48, SCHEMAS)


async def test_any_object_is_json_and_ends(random: EngineSupervisor) -> None:
    grammar = json_object_grammar(Bounds(characters=40, items=4, nesting=2))
    for text in await _documents(random, [grammar] * AT_ONCE):
        assert isinstance(json.loads(text), dict)


async def test_greedy_answers_keep_the_schema_too(random: EngineSupervisor) -> None:
    schema: Schema = {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 3}
    (text,) = await _documents(random, [grammar_of(schema)], temperature=0.0)
    jsonschema.validate(json.loads(text), schema)


async def test_strings_without_a_limit_end_and_keep_their_characters(
    random: EngineSupervisor,
) -> None:
    grammars = [grammar_of({"type": "string"}, Bounds(characters=300))] * AT_ONCE
    for text in await _documents(random, grammars):
        value = json.loads(text)
        assert len(value) <= 300
        assert "\ufffd" not in value
        assert all(
            sign.isprintable() or ord(sign) >= 0x80 or sign in "\b\f\n\r\t" for sign in value
        )


def test_check_of_formats_refuses_what_is_none() -> None:
    for name, text in {
        "date": "2026-02-30",
        "time": "24:00:00Z",
        "uuid": "x",
        "ipv4": "1.2",
    }.items():
        assert not FORMATS.conforms(text, name)
    assert FORMATS.conforms("2026-02-28T10:00:00+05:30", "date-time")


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "minLength": 3, "maxLength": 3, "pattern": "x"},
        {"type": "integer", "multipleOf": 3},
        {"type": "object", "patternProperties": {}},
        {"type": "string", "pattern": "(?=a)b"},
        {"type": "string", "pattern": "(a?)*"},
        {"type": "string", "pattern": "[z-a]"},
        {"type": "string", "pattern": "(a"},
        {"type": "string", "format": "hostname"},
        {"oneOf": [{"type": "integer"}, {"type": "number"}]},
        {"allOf": [{"type": "integer"}, {"type": "number"}]},
        {"type": "integer", "minimum": 3, "maximum": 2},
        {"type": "string", "minLength": -1},
        {"type": "nothing"},
        {"enum": []},
        {"$ref": "https://example.org/schema"},
        {"$ref": "#/$defs/missing"},
        {"$ref": "#"},
        {"not": {}},
        False,
        [],
    ],
)
def test_what_cannot_be_kept_is_refused_with_its_place(schema: object) -> None:
    with pytest.raises(InvalidInput) as refused:
        grammar_of(schema)
    assert "response_format" in refused.value.fields


def test_schema_that_needs_itself_is_refused_and_one_that_may_end_is_not() -> None:
    endless: Schema = {"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]}
    with pytest.raises(InvalidInput, match="without end"):
        grammar_of(endless)
    assert grammar_of({**endless, "required": []})


async def test_grammar_that_is_none_is_refused_and_others_go_on(random: EngineSupervisor) -> None:
    sampling = Sampling(grammar='root ::= "a" missing')
    with pytest.raises(InvalidInput):
        await events_of(random, request("?", model="random", sampling=sampling))
    (text,) = await _documents(random, [grammar_of({"const": "fine"})])
    assert text == '"fine"'


@pytest.mark.parametrize("low", [-1205, -100, -9, -1, 0, 1, 9, 10, 99, 105])
@pytest.mark.parametrize("span", [0, 1, 9, 11, 95, 1000])
def test_integer_grammar_matches_exactly_its_range(low: int, span: int) -> None:
    text = integer_between(Decimal(low), Decimal(low + span))
    assert text is not None
    expression = re.compile(text.replace('"', "").replace(" ", ""))
    for number in range(low - 120, low + span + 120):
        assert bool(expression.fullmatch(str(number))) == (low <= number <= low + span), number
