"""From a JSON schema to a grammar of llama.cpp (GBNF) that writes only documents of that schema.

Everything is bounded, so that any model comes to an end: where a schema sets no limit, `Bounds`
does. Properties come in the order of the schema, without any that it does not name. A keyword that
we cannot keep is refused, never ignored.

Sources: JSON Schema 2020-12; RFC 8259; GBNF of llama.cpp (grammars/README.md).
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from allerac.engine.schema_formats import FORMATS
from allerac.engine.schema_numbers import integer_between, number_between
from allerac.engine.schema_pattern import PatternError, pattern_grammar
from allerac.engine.schema_shapes import (
    KEYWORDS,
    NOTES,
    SIMPLE_TYPES,
    TYPES,
    Schema,
    are_disjoint,
    is_of_type,
    moved,
    pointer_target,
    types_of,
)
from allerac.engine.schema_text import CHARACTER_LIMIT, json_character, literal, repeated
from allerac.errors import InvalidInput

RULES_LIMIT: Final = 20_000
DEPTH_LIMIT: Final = 64
KEY_CHARACTERS: Final = 32


@dataclass(frozen=True, slots=True)
class Bounds:
    """What holds where the schema sets no limit.

    `nesting` is how often a definition may contain itself, and how deep a free value goes.
    """

    characters: int = 2000
    items: int = 64
    nesting: int = 3


class _Endless(Exception):  # noqa: N818 - not an error: an alternative that is left out
    """This part of the schema contains itself without end."""


def grammar_of(schema: object, bounds: Bounds = Bounds()) -> str:
    """Return the grammar of `schema`. Raises `InvalidInput`, which says where and why not."""
    return _Writer(schema, bounds).grammar()


def grammar_of_choices(
    choices: Sequence[tuple[str, Mapping[str, object]]],
    after: str,
    bounds: Bounds = Bounds(),
) -> str:
    """Return the grammar of one of `choices`: its text, a document of its schema, then `after`.

    Raises `InvalidInput` like `grammar_of`.
    """
    schemas = [moved(schema, f"#/anyOf/{at}") for at, (_, schema) in enumerate(choices)]
    return _Writer({"anyOf": schemas}, bounds).grammar([text for text, _ in choices], after)


def json_object_grammar(bounds: Bounds = Bounds()) -> str:
    """Return the grammar of any JSON object."""
    return grammar_of({"type": "object"}, bounds)


def _refuse(where: str, reason: str) -> InvalidInput:
    place = where or "the schema itself"
    return InvalidInput(
        f"This JSON schema cannot be kept: {place} {reason}.", fields={"response_format": reason}
    )


class _Writer:
    """Collects rules; methods return expressions, `_rule` gives one a name."""

    def __init__(self, schema: object, bounds: Bounds) -> None:
        self._root = schema
        self._bounds = bounds
        self._rules: dict[str, str] = {"ws": '" "?', "character": json_character()}
        self._names: dict[str, str] = {}
        self._references: dict[tuple[str, int], str] = {}
        self._path: list[str] = []

    def grammar(self, texts: Sequence[str] = (), after: str = "") -> str:
        """The whole grammar, `root` first; with `texts`, one before each part of an `anyOf`."""
        try:
            root = self._choices(texts, after) if texts else self._value(self._root, "", 0)
        except _Endless:
            raise _refuse("", "contains itself without end") from None
        rules = {"root": root, **self._rules}
        return "".join(f"{name} ::= {text}\n" for name, text in rules.items())

    def _choices(self, texts: Sequence[str], after: str) -> str:
        found = []
        for number, text in enumerate(texts):
            where = f"#/anyOf/{number}"
            value = self._rule(self._value(pointer_target(self._root, where), where, 1))
            found.append(f"{literal(text)} {value} {literal(after)}")
        return " | ".join(found)

    def _rule(self, text: str) -> str:
        """Name `text`; the same text has the same name."""
        name = self._names.get(text)
        if name is None:
            if len(self._rules) >= RULES_LIMIT:
                raise _refuse("", "is too large")
            name = self._names[text] = f"r{len(self._names)}"
            self._rules[name] = text
        return name

    def _value(self, schema: object, where: str, depth: int) -> str:
        if schema is True:
            schema = {}
        if not isinstance(schema, Mapping):
            raise _refuse(where, "is no schema that a value can have")
        if depth > DEPTH_LIMIT:
            raise _refuse(where, "is nested too deeply")
        asserted = {key: value for key, value in schema.items() if key not in NOTES}
        for keyword, write in (
            ("$ref", self._reference),
            ("const", self._constant),
            ("enum", self._enumeration),
            ("allOf", self._all_of),
            ("anyOf", self._any_of),
            ("oneOf", self._one_of),
        ):
            if keyword in asserted:
                return write(asserted, where, depth)
        return self._typed(asserted, where, depth)

    def _alone(self, schema: Schema, keyword: str, where: str, *others: str) -> Any:
        for key in schema:
            if key != keyword and key not in others:
                raise _refuse(where, f"has “{key}” beside “{keyword}”")
        return schema[keyword]

    def _reference(self, schema: Schema, where: str, depth: int) -> str:
        pointer = self._alone(schema, "$ref", where)
        target = pointer_target(self._root, pointer)
        if target is None:
            raise _refuse(where, "has a “$ref” that is not within the schema")
        again = len(self._path) - len(set(self._path)) + (pointer in self._path)
        if again > self._bounds.nesting:
            raise _Endless
        known = self._references.get((pointer, again))
        if known is None:
            self._path.append(pointer)
            try:
                known = self._rule(self._value(target, pointer, depth + 1))
            finally:
                self._path.pop()
            self._references[pointer, again] = known
        return known

    def _constant(self, schema: Schema, where: str, _depth: int) -> str:
        value = self._alone(schema, "const", where, "type")
        return self._literals([value], schema, where)

    def _enumeration(self, schema: Schema, where: str, _depth: int) -> str:
        values = self._alone(schema, "enum", where, "type")
        if not isinstance(values, Sequence) or isinstance(values, str):
            raise _refuse(where, "has an “enum” that is no list")
        return self._literals(values, schema, where)

    def _literals(self, values: Sequence[object], schema: Schema, where: str) -> str:
        names = self._types(schema, where) if "type" in schema else TYPES
        fitting = [value for value in values if any(is_of_type(value, name) for name in names)]
        if not fitting:
            raise _refuse(where, "allows no value at all")
        texts = [json.dumps(value, ensure_ascii=False) for value in fitting]
        return " | ".join(literal(text) for text in texts)

    def _all_of(self, schema: Schema, where: str, depth: int) -> str:
        parts = self._alone(schema, "allOf", where)
        if not isinstance(parts, Sequence) or len(parts) != 1:
            raise _refuse(where, "has “allOf” with more than one part")
        return self._value(parts[0], f"{where}/allOf/0", depth + 1)

    def _one_of(self, schema: Schema, where: str, depth: int) -> str:
        parts = self._alone(schema, "oneOf", where, "discriminator")
        if not isinstance(parts, Sequence) or not are_disjoint(self._root, parts):
            raise _refuse(where, "has “oneOf” whose parts overlap; say “anyOf”")
        return self._any_of({"anyOf": parts}, where, depth)

    def _any_of(self, schema: Schema, where: str, depth: int) -> str:
        parts = self._alone(schema, "anyOf", where)
        if not isinstance(parts, Sequence) or not parts:
            raise _refuse(where, "has “anyOf” without parts")
        found = []
        for number, part in enumerate(parts):
            try:
                found.append(self._rule(self._value(part, f"{where}/anyOf/{number}", depth + 1)))
            except _Endless:
                continue
        if not found:
            raise _Endless
        return " | ".join(found)

    def _types(self, schema: Schema, where: str) -> tuple[str, ...]:
        names = types_of(schema)
        if not names or any(name not in TYPES for name in names):
            raise _refuse(where, "has a “type” that JSON does not")
        return names

    def _typed(self, schema: Schema, where: str, depth: int) -> str:
        if not schema:
            return self._free(self._bounds.nesting)
        names = self._types(schema, where)
        known = {"type"}.union(*(KEYWORDS[name] for name in names))
        for key in schema:
            if key not in known:
                raise _refuse(where, f"has “{key}”, which we do not keep")
        write: dict[str, Callable[[Schema, str, int], str]] = {
            "object": self._object,
            "array": self._array,
            "string": self._string,
            "integer": self._number,
            "number": self._number,
            "boolean": lambda *_: '"true" | "false"',
            "null": lambda *_: '"null"',
        }
        if len(names) == 1:
            return write[names[0]](schema, where, depth)
        return " | ".join(
            self._rule(write[name]({**schema, "type": name}, where, depth)) for name in names
        )

    def _string(self, schema: Schema, where: str, _depth: int) -> str:
        narrowed = [key for key in ("pattern", "format") if key in schema]
        low, high = self._counts(
            schema, where, "minLength", "maxLength", self._bounds.characters, CHARACTER_LIMIT
        )
        if not narrowed:
            return f'"\\"" ({repeated("character", low, high)}) "\\""'
        if len(narrowed) > 1 or {"minLength", "maxLength"} & schema.keys():
            raise _refuse(where, f"has limits beside “{narrowed[0]}”")
        pattern = schema.get("pattern", FORMATS.get(schema.get("format", "")))
        if not isinstance(pattern, str):
            raise _refuse(where, "has a “format” that we do not know")
        try:
            return f'"\\"" ({pattern_grammar(pattern)}) "\\""'
        except PatternError as err:
            raise _refuse(where, f"has a “pattern” that {err}") from err

    def _counts(
        self, schema: Schema, where: str, least: str, most: str, default: int, limit: int
    ) -> tuple[int, int]:
        """Limits of a length; without an upper one there is room above the lower."""
        low, high = schema.get(least, 0), schema.get(most)
        for value in (low, 0 if high is None else high):
            if isinstance(value, bool) or not isinstance(value, int) or value < 0:
                raise _refuse(where, f"has “{least}” or “{most}” that is no count")
        if high is None:
            high = max(default, low)
        if low > min(high, limit):
            raise _refuse(where, f"has “{least}” beyond what is possible")
        return low, min(high, limit)

    def _number(self, schema: Schema, where: str, _depth: int) -> str:
        whole = schema["type"] == "integer"
        lows, highs = self._limits(schema, where, whole=whole)
        between = integer_between if whole else number_between
        text = between(max(lows, default=None), min(highs, default=None))
        if text is None:
            raise _refuse(where, "allows no number at all")
        return text

    def _limits(
        self, schema: Schema, where: str, *, whole: bool
    ) -> tuple[list[Decimal], list[Decimal]]:
        # The least step beyond an exclusive limit that we write anyway.
        step = Decimal(1) if whole else Decimal("0.000001")
        lows: list[Decimal] = []
        highs: list[Decimal] = []
        for key, side, change in (
            ("minimum", lows, Decimal(0)),
            ("exclusiveMinimum", lows, step),
            ("maximum", highs, Decimal(0)),
            ("exclusiveMaximum", highs, -step),
        ):
            value = schema.get(key)
            if value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise _refuse(where, f"has “{key}” that is no number")
            if not abs(value) < 10.0**18:
                raise _refuse(where, f"has “{key}” that is too large")
            limit = Decimal(str(value))
            exact = whole and change and limit != limit.to_integral_value()
            side.append(limit if exact else limit + change)
        return lows, highs

    def _array(self, schema: Schema, where: str, depth: int) -> str:
        low, high = self._counts(
            schema, where, "minItems", "maxItems", self._bounds.items, RULES_LIMIT // 20
        )
        try:
            item = self._rule(self._value(schema.get("items", True), f"{where}/items", depth + 1))
        except _Endless:
            if low:
                raise
            high = 0
        else:
            return self._listed(item, low, high)
        return self._listed("", low, high)

    def _listed(self, item: str, low: int, high: int) -> str:
        if not high:
            return '"[" "]"'
        more = self._rule(f'"," ws {item}')
        filled = f"{item} {more}{{{max(low - 1, 0)},{high - 1}}}"
        return f'"[" {filled} "]"' if low else f'"[" ({filled})? "]"'

    def _object(self, schema: Schema, where: str, depth: int) -> str:
        properties = schema.get("properties", {})
        required = schema.get("required", [])
        if not isinstance(properties, Mapping) or not isinstance(required, Sequence):
            raise _refuse(where, "has “properties” or “required” of the wrong kind")
        more = schema.get("additionalProperties", True)
        if not properties and not required and more is not False:
            return self._map(more, where, depth)
        unnamed = [name for name in required if name not in properties]
        if unnamed and more is False:
            raise _refuse(where, f"requires “{unnamed[0]}”, which it does not allow")
        wanted = {**properties, **dict.fromkeys(unnamed, more)}
        members = self._members(wanted, set(required), where, depth)
        return f'"{{" {self._ordered(members)} "}}"'

    def _members(
        self, wanted: Mapping[str, object], required: set[str], where: str, depth: int
    ) -> list[tuple[str, bool]]:
        members: list[tuple[str, bool]] = []
        for name, schema in wanted.items():
            if schema is False and name not in required:
                continue
            try:
                value = self._rule(self._value(schema, f"{where}/properties/{name}", depth + 1))
            except _Endless:
                if name in required:
                    raise
                continue
            key = literal(json.dumps(name, ensure_ascii=False))
            members.append((self._rule(f'{key} ":" ws {value}'), name in required))
        return members

    def _ordered(self, members: list[tuple[str, bool]]) -> str:
        """Members in their order, each optional one there or not, with commas between them."""
        first, later = '""', '""'
        for member, required in reversed(members):
            follows = self._rule(later)
            before_first = self._rule(first)
            first, later = f"{member} {follows}", f'"," ws {member} {follows}'
            if not required:
                first, later = f"{first} | {before_first}", f"{later} | {follows}"
        return self._rule(first)

    def _map(self, values: object, where: str, depth: int) -> str:
        try:
            inner = self._free(self._bounds.nesting - 1) if values is True else None
            value = inner or self._value(values, f"{where}/additionalProperties", depth + 1)
        except _Endless:
            return '"{" "}"'
        return self._mapped(self._rule(value))

    def _mapped(self, value: str) -> str:
        member = self._rule(f'"\\"" character{{1,{KEY_CHARACTERS}}} "\\":" ws {value}')
        more = self._rule(f'"," ws {member}')
        return f'"{{" ({member} {more}{{0,{self._bounds.items - 1}}})? "}}"'

    def _free(self, nesting: int) -> str:
        """Any value of JSON, `nesting` levels deep."""
        parts = [self._rule(self._typed({"type": name}, "", 0)) for name in SIMPLE_TYPES]
        if nesting > 0:
            inner = self._rule(self._free(nesting - 1))
            parts.append(self._rule(self._listed(inner, 0, self._bounds.items)))
            parts.append(self._rule(self._mapped(inner)))
        return " | ".join(parts)
