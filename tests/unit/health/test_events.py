"""What charts draw: figures in equal steps, and what happened meanwhile."""

from datetime import timedelta
from itertools import pairwise
from pathlib import Path

from tests.simulated_box import NOON, TICK, SimulatedBox, simulated_box

MINUTE = 60.0


def at(seconds: float) -> object:
    return NOON + timedelta(seconds=seconds)


async def test_heat_is_an_issue_and_a_reaction_with_beginning_and_end(tmp_path: Path) -> None:
    async with simulated_box(tmp_path) as box:
        await box.live(MINUTE)
        box.machine.heat(90)
        await box.live(5 * MINUTE)
        lasting = {event.kind: event for event in await box.health.events("hour")}
        assert lasting["issue"].code == "hot"
        assert lasting["issue"].severity == "warning"
        assert lasting["issue"].words["de"] == "Die Box ist heiß."
        assert lasting["reaction"].code == "fewer_threads"
        assert lasting["reaction"].severity is None
        assert {event.end for event in lasting.values()} == {None}
        box.machine.heat(50)
        await box.live(5 * MINUTE)
        over = {event.kind: event for event in await box.health.events("hour")}
        assert over["issue"].begin == lasting["issue"].begin == at(box.heard("opened", "hot")[0])
        assert over["issue"].end == at(box.heard("recovered", "hot")[0])
        assert over["reaction"].begin == at(box.pulled[0][0])
        assert over["reaction"].end == at(box.let_go[0][0])


async def test_events_are_those_of_the_period(tmp_path: Path) -> None:
    async with simulated_box(tmp_path) as box:
        box.machine.heat(90)
        await box.live(5 * MINUTE)
        box.machine.heat(50)
        await box.live(70 * MINUTE)
        assert await box.health.events("hour") == []
        codes = [event.code for event in await box.health.events("day")]
        assert sorted(codes) == ["fewer_threads", "hot"]


async def test_a_reaction_ends_with_the_process_that_reacted(tmp_path: Path) -> None:
    async with simulated_box(tmp_path) as box:
        box.machine.heat(90)
        await box.live(5 * MINUTE)
    again = SimulatedBox(box.machine, seconds=box.seconds + 30 * MINUTE)
    await again.health.recall()
    events = {event.kind: event for event in await again.health.events("hour")}
    assert events["reaction"].end == at(box.seconds - TICK)
    assert events["issue"].end is None
    await again.health.stop()


async def test_a_time_in_which_the_box_was_off_is_a_gap(tmp_path: Path) -> None:
    async with simulated_box(tmp_path) as box:
        await box.live(5 * MINUTE)
        box.seconds += 10 * MINUTE
        await box.live(5 * MINUTE)
        rows = await box.health.series("hour")
    steps = {(after["at"] - before["at"]).total_seconds() for before, after in pairwise(rows)}
    assert steps == {20.0}
    dark = [row for row in rows if "temperature_celsius" not in row]
    assert len(dark) * 20.0 >= 9 * MINUTE
    assert rows[0]["temperature_celsius"] == rows[-1]["temperature_celsius"] == 48.0
