"""Versions of the system, in the order of semver.org 2.0.0."""

import re
from dataclasses import dataclass, field
from functools import total_ordering
from typing import Self

FORM = re.compile(
    r"(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})"
    r"(?:-([0-9A-Za-z-]{1,32}(?:\.[0-9A-Za-z-]{1,32}){0,7}))?",
    re.ASCII,
)


@total_ordering
@dataclass(frozen=True, slots=True)
class Version:
    """`major.minor.patch[-prerelease]`, without build metadata."""

    text: str = field(compare=False)
    order: tuple[object, ...] = field(repr=False)

    @classmethod
    def read(cls, text: str) -> Self:
        """Read a version; raise `ValueError` for anything else."""
        match = FORM.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is no version")
        numbers = tuple(int(number) for number in match.group(1, 2, 3))
        if match[4] is None:
            return cls(text, (numbers, 1, ()))
        return cls(text, (numbers, 0, tuple(_rank(part) for part in match[4].split("."))))

    def __lt__(self, other: "Version") -> bool:
        """Whether `other` is newer."""
        return self.order < other.order

    def __str__(self) -> str:
        """Return the version as it is written."""
        return self.text


def _rank(part: str) -> tuple[int, int, str]:
    """Order numbers before words (semver.org, 11.4.3)."""
    return (0, int(part), "") if part.isdecimal() else (1, 0, part)
