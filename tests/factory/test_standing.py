"""The report says of each unit where it stands and what its people do next."""

from typing import Any

import pytest

from allerac_factory.history import UnitHistory
from allerac_factory.standing import standing_of

MADE = ("begun", "written", "identified", "ready")


def unit(*acts: str, burn_in: bool = True, **facts: Any) -> UnitHistory:
    return UnitHistory("ALR-1", acts=set(acts), wanted={"burn_in": burn_in}, facts=facts)


@pytest.mark.parametrize(
    ("history", "word", "following"),
    [
        (unit("begun", "written"), "interrupted", "repeat the job"),
        (unit(*MADE), "written", "start it for its burn-in"),
        (unit(*MADE, burn_in=False), "written", "print its label"),
        (unit(*MADE, "burned-in", passed=True), "passed its burn-in", "print its label"),
        (unit(*MADE, "burned-in", "labelled", passed=True), "labelled", "scan it"),
        (unit(*MADE, "burned-in", "labelled", "scanned", passed=True), "scanned", "again"),
        (unit(*MADE, "labelled", "scanned", "released"), "released", ""),
        (unit(*MADE, "released", "returned"), "came back", "write its drive"),
    ],
)
def test_good_unit_has_its_next_step(history: UnitHistory, word: str, following: str) -> None:
    standing = standing_of(history)
    assert standing.word == word
    assert following in standing.next
    assert bool(standing.next) == bool(following)
    assert not standing.is_bad


@pytest.mark.parametrize(
    ("history", "word", "following", "remark"),
    [
        (unit("begun", "failed", message="The drive is gone."), "failed", "another drive", "gone"),
        (
            unit(*MADE, "burned-in", passed=False, failures=["memory", "heat"]),
            *("failed its burn-in", "switch it on again", "memory, heat"),
        ),
        (unit(*MADE, "revoked", revoked_because="fell down"), "revoked", "", "fell down"),
    ],
)
def test_bad_unit_says_why(history: UnitHistory, word: str, following: str, remark: str) -> None:
    standing = standing_of(history)
    assert (standing.word, standing.is_bad) == (word, True)
    assert following in standing.next
    assert remark in standing.remark
