"""Regular expressions of a JSON schema's `pattern`, as GBNF: the part that people use.

Letters, `.`, classes, `\\d \\w \\s` and their opposites, groups, `|`, and counts up to a limit. The
whole string must match: what a schema finds anywhere in a string it finds there too. Look-around,
back references and boundaries are refused. Source: ECMA-262, section 22.2.
"""

from dataclasses import dataclass
from typing import Final

from allerac.engine.schema_text import Interval, characters

PATTERN_CHARACTERS_LIMIT: Final = 512
REPEAT_LIMIT: Final = 64  # stands for no limit, in `*`, `+` and `{2,}`
COUNT_LIMIT: Final = 1000
SIZE_LIMIT: Final = 4000  # characters that the longest match may have
_ANY: Final[list[Interval]] = [(0, 0x10FFFF)]
_CLASSES: Final[dict[str, list[Interval]]] = {
    "d": [(0x30, 0x39)],
    "w": [(0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A)],
    "s": [(0x20, 0x20)],
}
_COUNTS: Final = {"?": (0, 1), "*": (0, REPEAT_LIMIT), "+": (1, REPEAT_LIMIT)}
_SPELLED: Final = "^$\\.*+?()[]{}|/-\"'#&%@~,:;<>=!_ "


class PatternError(ValueError):
    """The pattern is broken, or uses what we do not; the text says which."""


@dataclass(frozen=True, slots=True)
class _Part:
    """A piece of the grammar and how many characters it matches at least and at most."""

    text: str
    shortest: int
    longest: int


def pattern_grammar(pattern: str) -> str:
    """Return what matches the inside of a JSON string. Raises `PatternError`."""
    if len(pattern) > PATTERN_CHARACTERS_LIMIT:
        raise PatternError(f"is longer than {PATTERN_CHARACTERS_LIMIT} characters")
    reader = _Reader(pattern.removeprefix("^"))
    part = reader.alternatives(depth=0)
    if not reader.at_end:
        raise PatternError("has a bracket too many")
    return part.text


class _Reader:
    """Reads a pattern from left to right, one method for each level of its grammar."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0

    @property
    def at_end(self) -> bool:
        return self._at >= len(self._pattern)

    def alternatives(self, depth: int) -> _Part:
        parts = [self._sequence(depth)]
        while self._skip("|"):
            parts.append(self._sequence(depth))
        if len(parts) == 1:
            return parts[0]
        return _Part(
            "(" + " | ".join(part.text for part in parts) + ")",
            min(part.shortest for part in parts),
            max(part.longest for part in parts),
        )

    def _sequence(self, depth: int) -> _Part:
        texts, shortest, longest = ['""'], 0, 0
        while not self.at_end and self._peek() not in "|)":
            if self._peek() == "$" and self._ends_after_dollar():
                self._at += 1
                continue
            part = self._counted(self._atom(depth))
            texts.append(part.text)
            shortest, longest = shortest + part.shortest, longest + part.longest
            if longest > SIZE_LIMIT:
                raise PatternError("matches texts that are too long")
        return _Part(" ".join(texts), shortest, longest)

    def _ends_after_dollar(self) -> bool:
        return self._at + 1 == len(self._pattern)

    def _counted(self, atom: _Part) -> _Part:
        counts = self._counts()
        if counts is None:
            return atom
        low, high = counts
        if not atom.shortest:
            raise PatternError("repeats what may be empty")
        if atom.longest * high > SIZE_LIMIT:
            raise PatternError("matches texts that are too long")
        text = f"({atom.text}){{{low},{high}}}"
        return _Part(text, atom.shortest * low, atom.longest * high)

    def _counts(self) -> tuple[int, int] | None:
        if self.at_end or self._peek() not in "?*+{":
            return None
        sign = self._next()
        counts = _COUNTS[sign] if sign != "{" else self._braces()
        self._skip("?")  # lazy or greedy: the same texts
        return counts

    def _braces(self) -> tuple[int, int]:
        inside, closed, _ = self._pattern[self._at :].partition("}")
        first, comma, second = inside.partition(",")
        if not closed or not first.isdecimal() or (second and not second.isdecimal()):
            raise PatternError("has a count that is no count")
        self._at += len(inside) + 1
        low = int(first)
        high = int(second) if second else (low + REPEAT_LIMIT if comma else low)
        if not low <= high <= COUNT_LIMIT or not high:
            raise PatternError(f"has a count that is not between 1 and {COUNT_LIMIT}")
        return low, high

    def _atom(self, depth: int) -> _Part:
        sign = self._next()
        if sign == "(":
            return self._group(depth)
        if sign == "[":
            return _one(self._class())
        if sign == ".":
            return _one(_ANY)
        if sign == "\\":
            return _one(self._escape())
        if sign in "^$*+?{":
            raise PatternError(f"has “{sign}” where it means nothing to us")
        return _one([(ord(sign), ord(sign))])

    def _group(self, depth: int) -> _Part:
        if depth > 16:
            raise PatternError("is nested too deeply")
        if self._skip("?") and not self._skip(":"):
            raise PatternError("looks around, which we do not")
        part = self.alternatives(depth + 1)
        if not self._skip(")"):
            raise PatternError("has a bracket that does not close")
        return part

    def _class(self) -> list[Interval]:
        negated = self._skip("^")
        found: list[Interval] = []
        while not self._skip("]"):
            low = self._class_member()
            if len(low) == 1 and low[0][0] == low[0][1] and self._is_range():
                self._at += 1
                high = self._class_member()
                if len(high) != 1 or high[0][0] < low[0][0]:
                    raise PatternError("has a range that is none")
                low = [(low[0][0], high[0][0])]
            found += low
        return _complement(found) if negated else found

    def _is_range(self) -> bool:
        return self._pattern[self._at : self._at + 1] == "-" and (
            self._pattern[self._at + 1 : self._at + 2] not in ("]", "")
        )

    def _class_member(self) -> list[Interval]:
        sign = self._next()
        return self._escape() if sign == "\\" else [(ord(sign), ord(sign))]

    def _escape(self) -> list[Interval]:
        sign = self._next()
        if sign in _CLASSES:
            return _CLASSES[sign]
        if sign.lower() in _CLASSES:
            return _complement(_CLASSES[sign.lower()])
        if sign in _SPELLED:
            return [(ord(sign), ord(sign))]
        raise PatternError(f"has “\\{sign}”, which we do not know")

    def _peek(self) -> str:
        return self._pattern[self._at]

    def _next(self) -> str:
        if self.at_end:
            raise PatternError("ends too early")
        self._at += 1
        return self._pattern[self._at - 1]

    def _skip(self, sign: str) -> bool:
        if self._pattern.startswith(sign, self._at):
            self._at += 1
            return True
        return False


def _one(wanted: list[Interval]) -> _Part:
    text = characters(wanted)
    if not text:
        raise PatternError("asks for a character that cannot be written")
    return _Part(f"({text})", 1, 1)


def _complement(intervals: list[Interval]) -> list[Interval]:
    found: list[Interval] = []
    start = 0
    for low, high in sorted(intervals):
        if start < low:
            found.append((start, low - 1))
        start = max(start, high + 1)
    return [*found, (start, 0x10FFFF)]
