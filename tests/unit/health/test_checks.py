"""Checks are data: complete, in every language, and found by being there."""

import string

import pytest

from allerac.health import REACTIONS, Check, find_checks
from allerac.health.check import LANGUAGES
from tests.faults.seeded_faults import FAULTS

NAMED = {
    "hot",
    "throttling",
    "memory_pressure",
    "swap_thrash",
    "disk_filling",
    "disk_nearly_full",
    "disk_worn",
    "disk_failing",
    "file_system_read_only",
    "file_system_errors",
    "clock_wrong",
    "link_slow",
    "link_flapping",
    "name_conflict",
    "engine_down",
    "engine_slow",
    "model_damaged",
    "database_damaged",
    "backup_old",
    "update_failed",
    "update_postponed",
    "certificate_expiring",
    "single_channel",
    "power_limit_low",
    "sign_ins_failed",
    "unit_failed",
    "ssh_open",
    "battery_low",
    "fan_stopped",
    "engine_restarting",
}


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_check_that_the_box_promises_is_there() -> None:
    codes = [check.code for check in find_checks()]
    assert set(codes) >= NAMED
    assert len(codes) == len(set(codes))


def test_every_check_has_a_fault_that_opens_it_and_one_whose_end_it_notices() -> None:
    codes = {check.code for check in find_checks()}
    ends = {fault.code for fault in FAULTS if fault.recovers_within_seconds is not None}
    assert ends | {"disk_filling"} == codes, "and what takes days is a test by itself"


@pytest.mark.parametrize("check", find_checks(), ids=lambda check: check.code)
def test_a_check_speaks_every_language_and_fills_in_the_same_facts(check: Check) -> None:
    assert set(check.words) == set(LANGUAGES)
    named = [
        fields(words.title) | fields(words.meaning) | fields(words.advice)
        for words in check.words.values()
    ]
    assert all(facts == named[0] for facts in named)
    for words in check.words.values():
        assert words.title
        assert words.meaning
        assert words.advice
    if check.fix is not None:
        assert set(check.fix.label) == set(LANGUAGES)


def test_reactions_speak_every_language() -> None:
    assert all(set(reaction.words) == set(LANGUAGES) for reaction in REACTIONS)
    assert len({reaction.code for reaction in REACTIONS}) == len(REACTIONS)
