"""Whoever stands before the unit's screen knows what is tested, and then how it is."""

from pathlib import Path

import pytest

from allerac.appliance.burn_in_view import RUNNING, BurnInView, read_burn_in
from allerac.burn_in import Outcome, Reporter
from allerac.burn_in.service import CHECKS

from .test_burn_in import burn_in

SERIAL = "ALR-N100-000042"


@pytest.fixture
def screen(tmp_path: Path) -> Path:
    """Where the view is written."""
    return tmp_path / "screen.json"


def shown(screen: Path) -> BurnInView:
    view = read_burn_in(screen)
    assert view is not None
    return view


def test_view_follows_the_checks_to_the_verdict(screen: Path) -> None:
    lines: list[str] = []
    reporter = Reporter(SERIAL, lines.append, screen)
    reporter.begin(3)
    reporter.test("memory")
    reporter.tell("  40 s left")
    assert shown(screen) == BurnInView(SERIAL, "running", "memory", 3, "40 s left")
    reporter.found(Outcome("memory", passed=True))
    reporter.found(Outcome("network", passed=False, reason="There is no wired network card."))
    assert shown(screen).done == 2
    reporter.end(passed=False)
    reporter.kept("The certificate is kept.")
    view = shown(screen)
    assert (view.state, view.passed) == ("failed", ("memory",))
    assert view.failed == (("network", "There is no wired network card."),)
    assert view.kept == ("The certificate is kept.",)
    assert lines == [
        "  40 s left",
        "✓ memory           nothing to compare here",
        "✗ network          There is no wired network card.",
        f"{SERIAL} has failed its burn-in.",
        "The certificate is kept.",
    ]


def test_burn_in_that_was_killed_is_no_longer_running(screen: Path) -> None:
    reporter = Reporter(SERIAL, lambda _: None, screen)
    reporter.begin(3)
    assert shown(screen).state == "running"
    screen.with_name(RUNNING).unlink()  # by its unit
    assert shown(screen).state == "interrupted"
    reporter.end(passed=True)
    assert shown(screen).state == "passed"


def test_burn_in_that_cannot_go_on_has_failed_for_the_reason(screen: Path) -> None:
    reporter = Reporter(SERIAL, lambda _: None, screen)
    reporter.begin(3)
    reporter.give_up("The unit's key cannot be read.")
    assert (shown(screen).state, shown(screen).failed) == (
        "failed",
        (("burn-in", "The unit's key cannot be read."),),
    )


def test_screen_that_cannot_be_told_does_not_end_the_burn_in(tmp_path: Path) -> None:
    lines: list[str] = []
    reporter = Reporter(SERIAL, lines.append, tmp_path / "nowhere" / "screen.json")
    reporter.begin(1)
    reporter.end(passed=True)
    assert lines == [f"{SERIAL} has passed its burn-in."]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b'{"failed": [1]}', b"\xff"])
def test_torn_view_is_none(screen: Path, content: bytes) -> None:
    assert read_burn_in(screen) is None
    screen.write_bytes(content)
    assert read_burn_in(screen) is None


async def test_screen_counts_as_many_checks_as_there_are(tmp_path: Path) -> None:
    assert len((await burn_in(tmp_path))["checks"]) == CHECKS
