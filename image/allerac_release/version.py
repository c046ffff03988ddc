"""Versions of the system, compared as semver.org 2.0.0 says."""

import re
from dataclasses import dataclass, field
from functools import total_ordering
from typing import Self

from allerac_image.errors import BadInput

NUMBER = "(0|[1-9][0-9]*)"
PART = r"(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
PATTERN = re.compile(rf"{NUMBER}\.{NUMBER}\.{NUMBER}(?:-({PART}(?:\.{PART})*))?")


@total_ordering
@dataclass(frozen=True, slots=True)
class Version:
    """One version; build metadata is not allowed, because two files would be one version."""

    text: str
    _order: tuple[object, ...] = field(repr=False)

    @classmethod
    def read(cls, text: str) -> Self:
        """Read `major.minor.patch[-prerelease]`; raise `BadInput` for anything else."""
        match = PATTERN.fullmatch(text)
        if match is None:
            raise BadInput(f"{text!r} is no version: write 1.2.3 or 1.2.3-beta.1.")
        numbers = tuple(int(number) for number in match.group(1, 2, 3))
        prerelease = match.group(4)
        if prerelease is None:
            return cls(text, (numbers, 1, ()))
        return cls(text, (numbers, 0, tuple(_rank(part) for part in prerelease.split("."))))

    def __lt__(self, other: "Version") -> bool:
        """Whether `other` is the newer one."""
        return self._order < other._order

    def __str__(self) -> str:
        """The version as it is written."""
        return self.text


def _rank(part: str) -> tuple[int, int, str]:
    """Numbers come before words (semver.org, 11.4.3)."""
    return (0, int(part), "") if part.isdigit() else (1, 0, part)
