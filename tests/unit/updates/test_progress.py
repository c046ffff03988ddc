"""How far an installation is."""

from allerac.updates.progress import Meter, Moved


class Stopwatch:
    """A clock that is set."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_time_left_follows_the_pace_and_counts_down_between_reports() -> None:
    watch = Stopwatch()
    meter = Meter(1_000, watch)
    assert meter.progress().seconds_left is None
    meter.update(0)
    watch.now = 10
    meter.update(20)
    assert meter.progress().seconds_left == 40
    assert meter.progress().done_bytes == 200
    watch.now = 15
    assert meter.progress().seconds_left == 35
    watch.now = 1000
    assert meter.progress().seconds_left == 0


def test_progress_never_goes_back_or_beyond_the_end() -> None:
    meter = Meter(1_000, Stopwatch())
    for percent in (40, 20, 300):
        meter.update(percent)
    assert meter.progress().percent == 100


def test_what_stays_the_same_for_too_long_is_told_from_what_comes_on_slowly() -> None:
    watch = Stopwatch()
    moved = Moved(60, watch)
    for percent in range(5):
        watch.now += 59
        assert moved.lately(percent)
    watch.now += 60
    assert moved.lately(4)
    watch.now += 1
    assert not moved.lately(4)
    assert moved.lately(5)
