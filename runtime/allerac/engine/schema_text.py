"""Strings of JSON, as GBNF: literals, lengths, and patterns.

A character is what JSON's readers give back, so `\\n` counts as one. Control characters are never
written, nor `\\u` escapes, half of which are no characters. Source: RFC 8259, section 7; GBNF of
llama.cpp (grammars/README.md).
"""

from typing import Final

CHARACTER_LIMIT: Final = 32_768  # a longer `maxLength` is kept by stopping here
_AT_ONCE: Final = 1000  # llama.cpp refuses repetitions of more than 2,000
_LAST: Final = 0x10FFFF
_ESCAPED: Final = {0x22: r"\"", 0x5C: "\\\\"}
_PLAIN_ESCAPES: Final = r'"\\" ["\\/bfnrt]'

Interval = tuple[int, int]
"""Code points from the first to the last."""

WRITABLE: Final[tuple[Interval, ...]] = ((0x20, 0x7E), (0x80, 0xD7FF), (0xE000, _LAST))


def literal(text: str) -> str:
    """Return what matches `text` and nothing else."""
    return '"' + "".join(map(_quoted, text)) + '"'


def json_character() -> str:
    """Return what matches any one character within a JSON string."""
    plain = characters([(low, high) for low, high in WRITABLE], escapes=False)
    return f"{plain} | {_PLAIN_ESCAPES}"


def characters(wanted: list[Interval], *, escapes: bool = True) -> str:
    """Return what matches one of the `wanted` characters as a JSON string spells them.

    "" where none of them can be written.
    """
    plain: list[Interval] = []
    for low, high in wanted:
        for first, last in WRITABLE:
            plain += _without_escaped(max(low, first), min(high, last))
    parts = ["[" + "".join(map(_interval, plain)) + "]"] if plain else []
    if escapes:
        for code, spelled in _ESCAPED.items():
            if any(low <= code <= high for low, high in wanted):
                parts.append(literal(spelled))
    return " | ".join(parts)


def repeated(name: str, low: int, high: int) -> str:
    """Return what matches the rule `name` from `low` to `high` times."""
    if high <= _AT_ONCE:
        return f"{name}{{{low},{high}}}"
    rest = repeated(name, max(low - _AT_ONCE, 0), high - _AT_ONCE)
    longer = f"{name}{{{_AT_ONCE}}} ({rest})"
    if low >= _AT_ONCE:
        return longer
    return f"{name}{{{low},{_AT_ONCE - 1}}} | {longer}"


def _without_escaped(low: int, high: int) -> list[Interval]:
    found: list[Interval] = []
    for code in sorted(_ESCAPED):
        if low <= code <= high:
            if low < code:
                found.append((low, code - 1))
            low = code + 1
    if low <= high:
        found.append((low, high))
    return found


def _interval(interval: Interval) -> str:
    low, high = interval
    return _in_class(low) if low == high else f"{_in_class(low)}-{_in_class(high)}"


def _in_class(code: int) -> str:
    if chr(code).isascii() and chr(code).isalnum():
        return chr(code)
    return f"\\U{code:08X}"


def _quoted(letter: str) -> str:
    if letter in '"\\':
        return "\\" + letter
    return letter if " " <= letter <= "~" else f"\\U{ord(letter):08X}"
