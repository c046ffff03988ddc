"""What can be said of a JSON schema without writing a grammar: types, references, overlaps."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any, Final

Schema = Mapping[str, Any]

TYPES: Final = ("object", "array", "string", "number", "integer", "boolean", "null")
SIMPLE_TYPES: Final = ("string", "number", "boolean", "null")
_NUMBERS: Final = frozenset(
    {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "format"}
)
KEYWORDS: Final[Mapping[str, frozenset[str]]] = {
    "object": frozenset({"properties", "required", "additionalProperties"}),
    "array": frozenset({"items", "minItems", "maxItems"}),
    "string": frozenset({"minLength", "maxLength", "pattern", "format"}),
    "number": _NUMBERS,
    "integer": _NUMBERS,
    "boolean": frozenset(),
    "null": frozenset(),
}
"""What each type's values are held to."""

NOTES: Final = frozenset(
    {
        "$schema", "$id", "$comment", "$defs", "definitions", "title", "description", "default",
        "examples", "example", "deprecated", "readOnly", "writeOnly",
    }
)  # fmt: skip
"""Keywords that say something and ask for nothing."""

_REFERENCES_LIMIT: Final = 32
_PYTHON: Final[Mapping[str, tuple[type, ...]]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
    "null": (type(None),),
}


def types_of(schema: Schema) -> tuple[str, ...]:
    """Return the types that `schema` names, or that its keywords are for; () for any."""
    named = schema.get("type")
    if isinstance(named, str):
        return (named,)
    if isinstance(named, Sequence):
        return tuple(map(str, named))
    found = [name for name in ("object", "array", "string", "number") if KEYWORDS[name] & {*schema}]
    return tuple(found[:1])


def is_of_type(value: object, name: str) -> bool:
    """Tell whether `value`, as Python reads JSON, has the type `name`."""
    if isinstance(value, bool) and name != "boolean":
        return False
    if name == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, _PYTHON.get(name, ()))


def pointer_target(root: object, pointer: object) -> Any:
    """Return what a local `$ref` points to, None for anything else (RFC 6901)."""
    if not isinstance(pointer, str) or not pointer.startswith("#"):
        return None
    target = root
    for part in pointer[1:].split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(target, Mapping):
            target = target.get(name)
        elif isinstance(target, Sequence) and not isinstance(target, str) and name.isdecimal():
            target = target[int(name)] if int(name) < len(target) else None
        else:
            return None
    return target


def moved(schema: Any, where: str) -> Any:
    """`schema` with its references as they are once it stands at `where`."""
    if isinstance(schema, Mapping):
        return {
            key: where + value[1:]
            if key == "$ref" and isinstance(value, str) and value.startswith("#")
            else moved(value, where)
            for key, value in schema.items()
        }
    if isinstance(schema, list):
        return [moved(item, where) for item in schema]
    return schema


def are_disjoint(root: object, schemas: Sequence[object]) -> bool:
    """Tell whether it is sure that no value belongs to two of `schemas`."""
    resolved = [_resolved(root, schema) for schema in schemas]
    return all(_disjoint(root, one, other, 0) for one, other in combinations(resolved, 2))


def _resolved(root: object, schema: object) -> Schema:
    for _ in range(_REFERENCES_LIMIT):
        if not isinstance(schema, Mapping):
            return {}
        if "$ref" not in schema:
            return schema
        schema = pointer_target(root, schema["$ref"])
    return {}


def _disjoint(root: object, one: Schema, other: Schema, depth: int) -> bool:
    values, others = _values(one), _values(other)
    if values is not None and others is not None:
        return not any(_same(a, b) for a in values for b in others)
    names, other_names = _kinds(one, values), _kinds(other, others)
    if names and other_names and not names & other_names:
        return True
    return depth < _REFERENCES_LIMIT and _differ_in_a_property(root, one, other, depth)


def _differ_in_a_property(root: object, one: Schema, other: Schema, depth: int) -> bool:
    if _kinds(one, None) != {"object"} or _kinds(other, None) != {"object"}:
        return False
    shared = {*one.get("required", ())} & {*other.get("required", ())}
    return any(
        _disjoint(
            root,
            _resolved(root, one.get("properties", {}).get(name)),
            _resolved(root, other.get("properties", {}).get(name)),
            depth + 1,
        )
        for name in shared
    )


def _values(schema: Schema) -> list[object] | None:
    if "const" in schema:
        return [schema["const"]]
    values = schema.get("enum")
    return list(values) if isinstance(values, Sequence) and not isinstance(values, str) else None


def _kinds(schema: Schema, values: list[object] | None) -> set[str]:
    """Types of which a value can be; a whole number is a number too."""
    if values is not None:
        names = {name for name in TYPES for value in values if is_of_type(value, name)}
    else:
        names = set(types_of(schema))
    return {"number" if name == "integer" else name for name in names}


def _same(one: object, other: object) -> bool:
    return one == other and isinstance(one, bool) == isinstance(other, bool)
