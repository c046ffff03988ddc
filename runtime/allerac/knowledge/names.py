"""Names of documents and folders: what people call them, and never a path of ours."""

import re
import unicodedata
from typing import Final

from allerac.errors import InvalidInput

MAX_NAME: Final = 200
_FORBIDDEN: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")


def clean_name(name: str) -> str:
    """Return the last part of a name without what cannot be seen. Raises `InvalidInput`."""
    visible = _FORBIDDEN.sub("", unicodedata.normalize("NFC", _characters(name)))
    last = re.split(r"[/\\]", visible)[-1].strip().strip(".").strip()
    if not last:
        raise InvalidInput("This document needs a name.", fields={"name": "must not be empty"})
    if len(last) <= MAX_NAME:
        return last
    stem, dot, ending = last.rpartition(".")
    if not dot or len(ending) > 10:
        return last[:MAX_NAME]
    return f"{stem[: MAX_NAME - len(ending) - 1]}.{ending}"


def clean_folder(folder: str) -> str:
    """Return a folder's name; "" is none. Folders are names beside each other, not paths."""
    visible = _FORBIDDEN.sub("", unicodedata.normalize("NFC", _characters(folder)))
    return " ".join(visible.replace("\\", "/").split())[:MAX_NAME].strip("/. ")


def _characters(text: str) -> str:
    return text.encode("utf-8", "ignore").decode("utf-8")
