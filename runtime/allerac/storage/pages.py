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
        raise _bad_cursor() from error
    scalars = isinstance(keys, list) and all(isinstance(key, int | str) for key in keys)
    if not scalars or len(keys) != length:
        raise _bad_cursor()
    return list(keys)


def _bad_cursor() -> InvalidInput:
    return InvalidInput(
        "The list cannot go on from there.",
        hint="Start again at its beginning.",
        fields={"cursor": "not one of ours"},
    )
