"""Progress tells rate and time left for each unit and for all, and leaves lost units out."""

import io
from pathlib import Path

from allerac_factory.drives import Drive
from allerac_factory.errors import UnitFailed
from allerac_factory.job import Target
from allerac_factory.plan import Assignment
from allerac_factory.progress import QUIET_SECONDS, Reporter, duration, lines
from allerac_factory.station import Unit
from allerac_factory.writing import Progress

GB = 1_000_000_000


class Terminal(io.StringIO):
    """A terminal that keeps what was written."""

    def isatty(self) -> bool:
        """Say that somebody watches."""
        return True


def unit(serial: str, done: int, total: int = 2 * GB) -> Unit:
    drive = Drive(Path("/dev/sdz"), 64 * GB, 512)
    target = Target(path=Path("/dev/sdz"))
    return Unit(Assignment(target, drive, None, serial, ()), Progress(total, done, "writing"))


def test_each_unit_and_all_have_a_rate_and_a_time() -> None:
    report = lines([unit("ALR-1", GB), unit("ALR-2", 2 * GB)], 10.0)
    assert "ALR-1" in report[0]
    assert " 50%   100 MB/s  writing, 10 s left" in report[0]
    assert report[1].endswith("100%   200 MB/s  writing")
    assert report[-1] == "0 ready, 0 failed, 2 under way; 300 MB/s, 3 s left"


def test_lost_unit_is_told_and_counts_no_more() -> None:
    lost = unit("ALR-2", GB // 2)
    lost.failure = UnitFailed("drive gone", "The drive is gone.")
    report = lines([unit("ALR-1", GB), lost], 10.0)
    assert report[1].endswith("The drive is gone.")
    assert report[-1] == "0 ready, 1 failed, 1 under way; 100 MB/s, 10 s left"


def test_nothing_is_said_of_a_rate_before_there_is_one() -> None:
    assert lines([unit("ALR-1", 0)], 0.0)[-1] == "0 ready, 0 failed, 1 under way; 0 MB/s"


def test_report_is_drawn_in_place_on_a_terminal_and_seldom_elsewhere() -> None:
    terminal, log = Terminal(), io.StringIO()
    for out in (terminal, log):
        times = iter((0.0, 0.5, 1.0, QUIET_SECONDS + 1))
        reporter = Reporter(out, lambda times=times: next(times))  # type: ignore[misc]  # bound here
        for _ in range(3):
            reporter([unit("ALR-1", GB)])
    assert terminal.getvalue().count("\x1b[2A") == 2
    assert log.getvalue().count("ALR-1") == 1


def test_time_of_unpacking_is_not_the_units() -> None:
    terminal = Terminal()
    times = iter((0.0, 50.0, 100.0, 110.0))
    reporter = Reporter(terminal, lambda: next(times))
    reporter.unpacking(0.5)
    reporter.unpacking(1.0)
    reporter([unit("ALR-1", GB)])
    said = terminal.getvalue()
    assert "all its batches: 50%\n\x1b[1A\x1b[J" in said
    assert "all its batches: 100%\nALR-1" in said, "it is not drawn over"
    assert "100 MB/s  writing" in said


def test_minutes_are_said_as_people_do() -> None:
    assert (duration(59), duration(61)) == ("59 s", "1 min 01 s")
