"""Answers that go by are counted and timed; company is no measure of the machine."""

from allerac.engine.protocol import Delta, EngineEvent, Finished, Usage
from allerac.engine.wire import Step
from allerac.errors import AlleracError, EngineStopped
from allerac.health import AnswerWatch, Metrics, SpeedBook


def finished(speed: float | None, tokens: int = 40) -> Finished:
    return Finished("stop", Usage(20, 5, tokens, 0.2, speed))


class Watching:
    """The watch with time that stands still until it is moved."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.speeds = SpeedBook(lambda: self.seconds)
        self.metrics = Metrics()
        self.watch = AnswerWatch(self.metrics, self.speeds, lambda: "small")

    def step(self, *events: tuple[str, EngineEvent | AlleracError]) -> None:
        self.watch.on_step(Step(0.01, events))

    def told(self, line: str) -> bool:
        return line in self.metrics.text().decode().splitlines()


def test_a_finished_answer_counts_tokens_and_its_first() -> None:
    box = Watching()
    box.step(("1", Delta("Hello", 1)))
    box.step(("1", finished(10.0)))
    assert box.told('allerac_answers_total{reason="stop"} 1.0')
    assert box.told('allerac_prompt_tokens_total{source="cache"} 5.0')
    assert box.told('allerac_prompt_tokens_total{source="read"} 15.0')
    assert box.told("allerac_completion_tokens_total 40.0")
    assert box.told("allerac_first_token_seconds_count 1.0")


def test_an_answer_that_fails_counts_by_its_code() -> None:
    box = Watching()
    box.step(("1", EngineStopped("It ended.")))
    assert box.told('allerac_answers_total{reason="engine_stopped"} 1.0')


def test_the_record_comes_of_several_answers_without_company() -> None:
    box = Watching()
    for number in range(4):
        box.step((str(number), finished(10.0)))
    assert box.speeds.record("small") is None
    box.step(("4", finished(10.0)))
    assert box.speeds.record("small") == 10.0


def test_answers_in_company_short_ones_and_unmeasured_ones_say_nothing_of_the_machine() -> None:
    box = Watching()
    for number in range(0, 20, 2):
        both = (str(number), str(number + 1))
        box.step(*((one, Delta("a", 1)) for one in both))
        box.step(*((one, finished(3.0)) for one in both))
    box.step(("short", finished(99.0, tokens=3)))
    box.step(("unmeasured", finished(None)))
    assert box.speeds.record("small") is None
    assert box.speeds.current("small") is None


def test_an_old_measurement_is_no_speed_of_now() -> None:
    box = Watching()
    box.step(("1", finished(10.0)))
    assert box.speeds.current("small") == 10.0
    box.seconds = 1000.0
    assert box.speeds.current("small") is None


def test_a_record_stays_when_the_machine_slows_and_over_a_restart() -> None:
    box = Watching()
    for number in range(6):
        box.step((str(number), finished(10.0)))
    for number in range(20):
        box.step((f"slow-{number}", finished(4.0)))
    assert box.speeds.record("small") == 10.0
    again = SpeedBook()
    again.restore(box.speeds.records)
    assert again.record("small") == 10.0
    assert again.record(None) is None
