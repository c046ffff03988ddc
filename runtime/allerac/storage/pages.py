"""Pages of lists, continued by an opaque cursor."""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from allerac.errors import InvalidInput

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """One page; `next_cursor` is None on the last."""

    items: list[Item]
    next_cursor: str | None = None


def encode_cursor(keys: Sequence[int | str]) -> str:
    """Return the sort keys of the last row shown as text that callers do not read."""
    return base64.urlsafe_b64encode(json.dumps(list(keys)).encode()).decode().rstrip("=")


def decode_cursor(text: str, *, length: int) -> list[Any]:
    """Return the keys of a cursor. Raises `InvalidInput` for anything else."""
    try:
        keys = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except ValueError as error:
        raise bad_cursor() from error
    if not isinstance(keys, list) or len(keys) != length or not all(map(_is_key, keys)):
        raise bad_cursor()
    return keys


def _is_key(key: object) -> bool:
    """True for text and for whole numbers that SQLite can hold."""
    if isinstance(key, str):
        return is_text(key)
    return type(key) is int and key.bit_length() < 64


def is_text(value: str) -> bool:
    """False for half characters (lone surrogates), which UTF-8 cannot hold."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def bad_cursor() -> InvalidInput:
    """Return what to raise for a cursor that this list never gave."""
    return InvalidInput(
        "The list cannot go on from there.",
        hint="Start again at its beginning.",
        fields={"cursor": "not one of ours"},
    )
