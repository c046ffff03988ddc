"""Text as it is compared."""

import re
import unicodedata
from typing import Final

_ACCENTS: Final = re.compile("[\u0300-\u036f]")


def plain(text: str) -> str:
    """Return `text` in small letters without accents."""
    small = text.lower()
    return small if small.isascii() else _ACCENTS.sub("", unicodedata.normalize("NFD", small))
