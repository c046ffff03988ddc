"""Makes JSON schemas by the hundred, as varied as those that programs send; the seed decides."""

from random import Random
from typing import Any

Schema = dict[str, Any]
_WORDS = (
    "name",
    "age",
    "city",
    "tags",
    "price",
    "größe",
    'with "quotes"',
    "back\\slash",
    "日本",
    "",
)
_PATTERNS = (
    r"^[A-Z]{2}-\d{1,4}$",
    r"^\w+@\w+\.(com|org)$",
    r"^[^a-z]{3}$",
    r"^(yes|no|\"maybe\")$",
    r"^.{2,5}$",
    r"a?b{2}",
)
_FORMATS = ("date", "time", "date-time", "uuid", "ipv4")


def generated_schema(number: int) -> Schema:
    """Return the schema with this number; the same every time."""
    dice = Random(number)  # noqa: S311 - variety, not secrecy
    schema = _any_of_kinds(dice, 0)
    if dice.random() < 0.3:
        schema = {
            "type": "object",
            "properties": {"it": {"$ref": "#/$defs/it"}},
            "required": ["it"],
        }
        schema |= {"additionalProperties": False, "$defs": {"it": _any_of_kinds(dice, 1)}}
    if dice.random() < 0.1:
        schema = _tree(dice)
    return schema


def _any_of_kinds(dice: Random, depth: int) -> Schema:
    simple = (_string, _integer, _number, _choice, _plain)
    kinds = simple if depth > 2 else (*simple, _object, _object, _array, _union)
    return dice.choice(kinds)(dice, depth)


def _string(dice: Random, _: int) -> Schema:
    form = dice.random()
    if form < 0.25:
        return {"type": "string", "pattern": dice.choice(_PATTERNS)}
    if form < 0.4:
        return {"type": "string", "format": dice.choice(_FORMATS)}
    low = dice.randint(0, 6)
    return {"type": "string", "minLength": low, "maxLength": low + dice.randint(0, 9)}


def _integer(dice: Random, _: int) -> Schema:
    low = dice.randint(-1200, 1200)
    schema: Schema = {"type": "integer", "minimum": low}
    if dice.random() < 0.8:
        schema["maximum"] = low + dice.choice((0, 1, 7, 30, 999, 12345))
    if dice.random() < 0.2:
        schema["exclusiveMinimum"] = schema.pop("minimum") - 1
    return schema


def _number(dice: Random, _: int) -> Schema:
    low = round(dice.uniform(-50, 50), dice.choice((0, 2)))
    return dice.choice(
        (
            {"type": "number"},
            {"type": "number", "minimum": low, "maximum": low + dice.choice((0.5, 2, 100))},
            {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
            {"type": "number", "maximum": low},
        )
    )


def _choice(dice: Random, _: int) -> Schema:
    values: list[Any] = ["red", "grün", 'a "b"', 7, -1.5, None, True, [1, "x"], {"k": "v"}]
    if dice.random() < 0.3:
        return {"const": dice.choice(values)}
    return {"enum": dice.sample(values, dice.randint(1, 5))}


def _plain(dice: Random, _: int) -> Schema:
    return {"type": dice.choice(("boolean", "null", ["boolean", "null"]))}


def _object(dice: Random, depth: int) -> Schema:
    names = dice.sample(_WORDS, dice.randint(0, 4))
    return {
        "type": "object",
        "title": "anything",
        "properties": {name: _any_of_kinds(dice, depth + 1) for name in names},
        "required": [name for name in names if dice.random() < 0.6],
        "additionalProperties": False,
    }


def _array(dice: Random, depth: int) -> Schema:
    low = dice.randint(0, 2)
    items = _any_of_kinds(dice, depth + 1)
    return {"type": "array", "items": items, "minItems": low, "maxItems": low + dice.randint(0, 3)}


def _union(dice: Random, depth: int) -> Schema:
    if dice.random() < 0.5:
        return {"anyOf": [_any_of_kinds(dice, depth + 1) for _ in range(dice.randint(1, 3))]}
    tagged: list[Schema] = [
        {
            "type": "object",
            "properties": {"kind": {"const": kind}, "value": _any_of_kinds(dice, depth + 1)},
            "required": ["kind"],
            "additionalProperties": False,
        }
        for kind in ("one", "two")
    ]
    return {"oneOf": tagged}


def _tree(dice: Random) -> Schema:
    branch: Schema = {
        "type": "object",
        "properties": {
            "label": _string(dice, 0),
            "children": {"type": "array", "items": {"$ref": "#/$defs/branch"}, "maxItems": 2},
            "next": {"anyOf": [{"$ref": "#/$defs/branch"}, {"type": "null"}]},
        },
        "required": ["label", "next"],
        "additionalProperties": False,
    }
    return {"$ref": "#/$defs/branch", "$defs": {"branch": branch}}
