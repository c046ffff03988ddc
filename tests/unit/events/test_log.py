"""A follower loses nothing and gets nothing twice."""

import asyncio
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allerac.events import Event, EventLog, EventLogs


def _written(count: int) -> EventLog:
    log = EventLog()
    for number in range(count):
        log.append("delta", {"text": str(number)})
    log.append("done", {})
    return log


async def _read(log: EventLog, after: int) -> list[Event]:
    return [event async for event in log.follow(after)]


@dataclass(slots=True)
class Reader:
    """Shows what it was told, as the web application does."""

    text: str = ""
    seen: int = 0

    async def look(self, log: EventLog, count: int) -> None:
        """Take up to `count` events that are there, then leave."""
        async for event in log.follow(self.seen):
            assert event.sequence > self.seen
            self.seen = event.sequence
            if event.kind == "snapshot":
                self.text = event.data["text"]
            elif event.kind == "delta":
                self.text += event.data["text"]
            count -= 1
            if not count or self.seen == log.last_sequence:
                return


@given(count=st.integers(0, 30), after=st.integers(0, 40))
def test_follower_gets_exactly_what_comes_after_its_sequence(count: int, after: int) -> None:
    events = asyncio.run(_read(_written(count), after))
    assert [event.sequence for event in events] == list(range(after + 1, count + 2))


@given(
    keep=st.integers(1, 6),
    steps=st.lists(st.sampled_from(["delta", "reading", "look", "look at two"]), max_size=60),
)
def test_a_reader_who_falls_behind_what_is_kept_shows_the_same_text(
    keep: int, steps: list[str]
) -> None:
    log, reader, written = EventLog(keep_events=keep), Reader(), ""

    async def live() -> None:
        nonlocal written
        for number, step in enumerate(steps):
            if step == "delta":
                log.append("delta", {"text": f"{number} "})
                written += f"{number} "
            elif step == "reading":
                log.append("reading", {"percent": number})
            elif reader.seen < log.last_sequence:
                await reader.look(log, 2 if step == "look at two" else 1)
        log.append("done", {})
        await reader.look(log, len(steps) + 2)

    asyncio.run(live())
    assert reader.text == written
    assert reader.seen == log.last_sequence


async def test_what_is_kept_stays_bounded_and_its_newest_events_are_told_one_by_one() -> None:
    log = EventLog(keep_events=8)
    for number in range(1000):
        log.append("delta", {"text": f"{number} "})
    log.append("done", {})
    snapshot, *rest = await _read(log, 3)
    assert snapshot.kind == "snapshot"
    assert len(rest) <= 8
    assert [event.sequence for event in rest] == list(range(snapshot.sequence + 1, 1002))
    assert await _read(log, snapshot.sequence) == rest


async def test_followers_that_leave_and_return_at_every_event_see_each_event_once() -> None:
    log = EventLog()
    seen: list[int] = []

    async def restless() -> None:
        while not (log.is_finished and len(seen) == log.last_sequence):
            async for event in log.follow(len(seen)):
                seen.append(event.sequence)
                break

    follower = asyncio.create_task(restless())
    for number in range(50):
        log.append("delta", {"text": str(number)})
        await asyncio.sleep(0)
    log.append("done", {})
    await asyncio.wait_for(follower, 5)
    assert seen == list(range(1, 52))


async def test_two_followers_each_see_everything() -> None:
    log = EventLog()
    readers = [asyncio.create_task(_read(log, 0)) for _ in range(2)]
    await asyncio.sleep(0)
    for text in "abc":
        log.append("delta", {"text": text})
    log.append("done", {})
    first, second = await asyncio.gather(*readers)
    assert first == second
    assert [event.kind for event in first] == ["delta", "delta", "delta", "done"]


def test_nothing_is_added_after_the_end() -> None:
    log = _written(1)
    with pytest.raises(ValueError, match="ended"):
        log.append("delta", {"text": "late"})


def test_finished_logs_are_dropped_after_their_time_and_running_ones_are_not() -> None:
    now = 0.0
    logs = EventLogs(keep_seconds=10, clock=lambda: now)
    running, finished = logs.open("running"), logs.open("finished")
    finished.append("done", {})
    logs.finish("finished")
    now = 9.0
    assert logs.get("finished") is finished
    now = 11.0
    assert logs.get("finished") is None
    assert logs.get("running") is running


def test_the_number_of_finished_logs_is_bounded() -> None:
    logs = EventLogs(keep_logs=3)
    for number in range(10):
        logs.open(str(number)).append("done", {})
        logs.finish(str(number))
    assert [name for name in map(str, range(10)) if logs.get(name)] == ["7", "8", "9"]
