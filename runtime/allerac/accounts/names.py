"""Names of people: shown as typed, compared as read."""

import unicodedata

from allerac.errors import InvalidInput

MAXIMUM_LENGTH = 64


def clean_name(text: str) -> str:
    """Return the name in NFKC with single spaces. Raises `InvalidInput`."""
    name = " ".join(unicodedata.normalize("NFKC", text).split())
    if not 1 <= len(name) <= MAXIMUM_LENGTH:
        raise _wrong(f"Use 1 to {MAXIMUM_LENGTH} characters.")
    if any(unicodedata.category(sign) in {"Cc", "Cf", "Cs", "Co", "Cn"} for sign in name):
        raise _wrong("It has characters that cannot be seen.")
    return name


def name_key(name: str) -> str:
    """Return what makes two names the same: without case, compatible forms folded."""
    return unicodedata.normalize("NFKC", name.casefold())


def _wrong(reason: str) -> InvalidInput:
    return InvalidInput("Choose another name.", hint=reason, fields={"name": reason})
