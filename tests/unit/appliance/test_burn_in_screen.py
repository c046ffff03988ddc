"""Whoever builds units reads on the unit's own screen what is tested and whether it is good."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from allerac.appliance.burn_in_screen import draw_burn_in
from allerac.appliance.burn_in_view import FILE_NAME, BurnInView, mark_running, write_burn_in
from allerac.appliance.console import Sight, see
from allerac.appliance.screen import Terminal
from allerac.appliance.view import BoxView, write_view

from .test_console import console
from .test_screen import BLOCKS, CLAIMED, SCREEN, SERIAL, UNCLAIMED

UNDERWAY = BurnInView(
    "ALR-N100-000042", "running", "memory", 12, "40 s left", ("tier", "clock"), (("tpm", "gone"),)
)
PASSED = BurnInView("ALR-N100-000042", "passed", checks=12, passed=("tier", "clock"))
FAILED = replace(
    PASSED,
    state="failed",
    failed=(("heat", "It became 95 °C hot: cooler or paste."), ("network", "There is no card.")),
    kept=("The certificate is on the USB drive; it may be pulled out.",),
)
ADDRESSES = ("169.254.7.1", "fe80::1")


@pytest.mark.parametrize("terminal", [SCREEN, SERIAL], ids=["screen", "serial"])
def test_what_is_tested_now_and_how_far_it_is_can_be_read(terminal: Terminal) -> None:
    text = "\n".join(draw_burn_in(UNDERWAY, ADDRESSES, terminal))
    assert "ALR-N100-000042" in text
    assert "check 4 of 12: memory" in text
    assert "40 s left" in text
    assert "failed: tpm: gone" in text


def test_verdict_is_written_large_on_a_screen_and_as_a_word_on_a_line() -> None:
    large = draw_burn_in(PASSED, ADDRESSES, SCREEN)
    assert sum(bool(BLOCKS & set(line)) for line in large) == 5
    assert "  *** PASSED ***" in draw_burn_in(PASSED, ADDRESSES, SERIAL)
    assert "  *** FAILED ***" in draw_burn_in(FAILED, ADDRESSES, SERIAL)
    assert large[3:8] != draw_burn_in(FAILED, ADDRESSES, SCREEN)[3:8]


@pytest.mark.parametrize("terminal", [SCREEN, SERIAL], ids=["screen", "serial"])
def test_failed_unit_says_which_checks_failed_and_why(terminal: Terminal) -> None:
    text = "\n".join(draw_burn_in(FAILED, ADDRESSES, terminal))
    for told in (
        *("failed: heat: It became 95 °C hot", "failed: network: There is no card."),
        *("ALR-N100-000042", "169.254.7.1, fe80::1", "may be pulled out", "switch it on again"),
    ):
        assert told in text


@pytest.mark.parametrize("view", [UNDERWAY, PASSED, FAILED, replace(UNDERWAY, state="interrupted")])
@pytest.mark.parametrize("size", [(80, 25), (80, 12), (40, 12), (20, 5)])
def test_nothing_is_wider_or_higher_than_the_screen(
    view: BurnInView, size: tuple[int, int]
) -> None:
    terminal = Terminal(*size, is_screen=True)
    long = replace(view, failed=(("heat", "word " * 200), ("\x1b[2J", "x" * 300)))
    lines = draw_burn_in(long, ADDRESSES, terminal)
    assert len(lines) < terminal.rows
    assert max(map(len, lines)) <= terminal.columns
    assert "\x1b" not in "".join(lines)


@pytest.mark.parametrize(("box", "is_shown"), [(None, True), (UNCLAIMED, True), (CLAIMED, False)])
def test_verdict_stays_until_the_unit_is_claimed(
    tmp_path: Path, box: BoxView | None, is_shown: bool
) -> None:
    sight = Sight(tmp_path / "console.json", tmp_path, lambda: ADDRESSES, tmp_path / FILE_NAME)
    write_burn_in(tmp_path / FILE_NAME, PASSED)
    if box is not None:
        write_view(sight.view, box)
    assert ("ALR-N100-000042" in "\n".join(see(sight, SCREEN))) is is_shown


def test_unit_that_had_no_burn_in_shows_the_box(tmp_path: Path) -> None:
    sight = Sight(tmp_path / "console.json", tmp_path, lambda: ADDRESSES, tmp_path / FILE_NAME)
    assert "starting" in "\n".join(see(sight, SCREEN))


def test_screen_follows_a_burn_in_from_test_to_verdict(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    with console(tmp_path, "linux") as screen:
        screen.wait_for("starting")
        mark_running(path)
        write_burn_in(path, UNDERWAY)
        screen.wait_for("check 4 of 12: memory")
        write_burn_in(path, FAILED)
        screen.wait_for("failed: heat")
        path.write_text(json.dumps({}))
        screen.wait_for("starting")
