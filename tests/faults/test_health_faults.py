"""Seeded faults, one after the other: the right issue in time, the right reaction, and recovery."""

import random
from datetime import timedelta
from pathlib import Path

import pytest

from allerac.health import BackupFacts, EngineFacts, Unit, UpdateFacts
from tests.faults.seeded_faults import DAY, FAULTS, HOUR, MINUTE, Fault, heal, nvme
from tests.recorded_machine import GIB
from tests.simulated_box import NOON, SimulatedBox, simulated_box

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
async def test_a_fault_is_seen_in_time_reacted_to_and_its_end_noticed(
    fault: Fault, tmp_path: Path
) -> None:
    async with simulated_box(tmp_path) as box:
        await box.live(6 * MINUTE)
        assert box.changes == []
        began = box.seconds
        await box.live(fault.within_seconds + 20, lambda at: fault.seed(box, at - began))
        told = box.heard("opened", fault.code)
        assert told, f"{fault.code} was not noticed"
        assert told[0] - began <= fault.within_seconds
        assert {c.issue.check.code for _, c in box.changes} == {fault.code}
        issue = next(issue for issue in box.health.status().issues)
        assert fault.severity in (None, issue.finding.severity)
        assert issue.finding.evidence
        for language in ("en", "de"):
            words = issue.words(language)
            assert "{" not in words.title + words.meaning + words.advice
        if fault.reaction is not None:
            await box.live(MINUTE, lambda at: fault.seed(box, at - began))
            assert fault.reaction in {code for _, code in box.pulled}
        else:
            assert box.pulled == []
        if fault.recovers_within_seconds is not None:
            heal(box)
            await box.live(fault.recovers_within_seconds)
            assert box.heard("recovered", fault.code)
            assert box.health.status().severity is None


async def test_every_reaction_lets_go_once_its_cause_is_over(tmp_path: Path) -> None:
    async with simulated_box(tmp_path) as box:
        for fault in FAULTS:
            if fault.reaction is not None:
                began = box.seconds
                await box.live(2 * MINUTE, lambda at, f=fault, b=began: f.seed(box, at - b))  # type: ignore[misc]  # bound here
                heal(box)
                await box.live(15 * MINUTE)
                assert box.health.status().reactions == [], fault.name
        assert {code for _, code in box.let_go} == {code for _, code in box.pulled}


async def test_heat_that_swings_around_the_threshold_makes_one_issue(tmp_path: Path) -> None:
    async with simulated_box(tmp_path) as box:
        await box.live(30 * MINUTE, lambda at: box.machine.heat(89.0 if at % 40 < 30 else 86.5))
        assert len(box.heard("opened", "hot")) <= 1
        assert len([code for _, code in box.pulled if code == "fewer_threads"]) <= 1


async def test_a_short_peak_is_no_issue(tmp_path: Path) -> None:
    async with simulated_box(tmp_path) as box:
        await box.live(20 * MINUTE, lambda at: box.machine.heat(92.0 if at % 300 < 20 else 70.0))
        assert box.changes == []


async def test_an_issue_that_worsens_is_told_again_and_only_then(tmp_path: Path) -> None:
    async with simulated_box(tmp_path) as box:
        await box.live(5 * MINUTE, lambda _: box.machine.heat(90))
        await box.live(5 * MINUTE, lambda _: box.machine.heat(99))
        assert len(box.heard("opened", "hot")) == 1
        assert len(box.heard("worse", "hot")) == 1


async def test_heat_that_swings_around_the_pause_worsens_once(tmp_path: Path) -> None:
    async with simulated_box(tmp_path) as box:
        await box.live(30 * MINUTE, lambda at: box.machine.heat(98.0 if at % 60 < 30 else 92.0))
        assert len(box.heard("opened", "hot")) + len(box.heard("worse", "hot")) <= 2
        box.machine.heat(50)
        await box.live(3 * MINUTE)
        (over,) = (change.issue for _, change in box.changes if change.kind == "recovered")
        assert (over.finding.severity, over.worst) == ("warning", "critical")


async def test_an_hour_of_usual_use_raises_no_alarm(tmp_path: Path) -> None:
    rng = random.Random(6)  # noqa: S311 - seeded, no secret
    jiffies = {"busy": 1000, "idle": 99000}

    def use(box: SimulatedBox, at: float) -> None:
        """Answers come in bursts: heat, load and memory rise, speed falls with company."""
        busy = rng.random() < 0.5
        jiffies["busy"] += 3600 if busy else 150
        jiffies["idle"] += 400 if busy else 3850
        box.machine.work(**jiffies)
        box.machine.heat(rng.gauss(80, 3) if busy else rng.gauss(52, 3))
        box.machine.fan(1450 if busy else 0)  # it rests while it is cool
        box.machine.throttled(int(at / 600))
        available = rng.uniform(3.0, 9.0)
        box.machine.memory(total=16 * GIB, available=int(available * GIB), swapped=int(at / 5))
        box.machine.pressure(memory=rng.uniform(0, 4), io=rng.uniform(0, 30))
        box.machine.disk(total=240 * GIB, free=int(150 * GIB - at * 3e5))
        box.change(
            engine=EngineFacts(
                state="ready", active=int(busy), speed=rng.uniform(7, 12.5), record=12.5
            ),
            failed_sign_ins=rng.choice([0, 0, 1, 3]),
        )

    async with simulated_box(tmp_path) as box:
        await box.live(HOUR, lambda at: use(box, at))
        assert box.changes == []
        assert [code for _, code in box.pulled] == []


async def test_a_virtual_drive_that_keeps_no_spare_does_not_fail(tmp_path: Path) -> None:
    async with simulated_box(tmp_path) as box:
        box.machine.drive("nvme1n1", nvme(available_spare=0, available_spare_threshold=0))
        await box.live(MINUTE)
        assert box.changes == []


async def test_a_disk_that_fills_by_the_day_is_foreseen(tmp_path: Path) -> None:
    async with simulated_box(tmp_path) as box:
        began = NOON - timedelta(days=4)
        rows = [
            (began + timedelta(minutes=15 * n), {"disk_free_bytes": (60 - 0.09 * n) * GIB})
            for n in range(4 * 96)
        ]
        box.store.add(rows, NOON)
        box.machine.disk(total=240 * GIB, free=25 * GIB)
        await box.health.recall()
        await box.live(70 * MINUTE)
        issue = next(issue for issue in box.health.status().issues)
        assert issue.check.code == "disk_filling"
        assert issue.finding.evidence["days"] == pytest.approx(3, abs=1)
        box.machine.disk(total=240 * GIB, free=220 * GIB)
        await box.live(65 * MINUTE)
        assert box.heard("recovered", "disk_filling")


async def test_a_fan_that_stands_since_the_start_is_told_where_one_has_turned(
    tmp_path: Path,
) -> None:
    async with simulated_box(tmp_path) as box:
        box.store.add([(NOON - timedelta(hours=5), {"fan_turns": 900.0})], NOON)
        box.machine.fan(0)
        box.machine.heat(80)
        await box.live(5 * MINUTE)
        assert box.changes == [], "a board without a fan has such connectors too"
        await box.health.recall()
        await box.live(5 * MINUTE)
        assert box.heard("opened", "fan_stopped")


async def test_new_starts_of_months_are_nothing_to_tell_and_those_of_an_hour_end_with_it(
    tmp_path: Path,
) -> None:
    def starts(times: int) -> None:
        box.change(units=(Unit("allerac-engine.service", False, times),))

    async with simulated_box(tmp_path) as box:
        box.seconds = 60 * DAY
        starts(20)
        await box.live(10 * MINUTE)
        assert box.changes == []
        await box.live(3 * MINUTE, lambda at: starts(20 + int((at - 60 * DAY - 600) / 20)))
        assert box.heard("opened", "unit_failed")
        await box.live(HOUR + 5 * MINUTE)
        assert box.heard("recovered", "unit_failed")


async def test_new_starts_that_nobody_was_there_to_see_are_told_on_a_box_up_for_weeks(
    tmp_path: Path,
) -> None:
    async with simulated_box(tmp_path) as box:
        box.seconds = 60 * DAY
        box.change(units=(Unit("allerac.service", False, 6, in_an_hour=4),))
        await box.live(10 * MINUTE)
        assert box.changes == []
        box.change(units=(Unit("allerac.service", False, 7, in_an_hour=5),))
        await box.live(MINUTE)
        assert box.heard("opened", "unit_failed")
        box.change(units=(Unit("allerac.service", False, 7),))
        await box.live(HOUR + 5 * MINUTE)
        assert box.heard("recovered", "unit_failed")


@pytest.mark.parametrize("years", [10, 5, -10])
async def test_a_clock_that_is_wrong_makes_nothing_else_look_old(
    years: int, tmp_path: Path
) -> None:
    async with simulated_box(tmp_path) as box:
        box.change(
            update=UpdateFacts(version="2.0.0", offered_at=NOON - timedelta(days=1)),
            backup=BackupFacts(succeeded_at=NOON - timedelta(days=1)),
        )
        await box.live(6 * MINUTE)
        box.machine.remove("run/systemd/timesync/synchronized")
        box.clock_error = timedelta(days=365 * years)
        box.change(clock_moved_seconds=box.clock_error.total_seconds())
        await box.live(20 * MINUTE)
        assert {change.issue.check.code for _, change in box.changes} == {"clock_wrong"}


async def test_a_clock_that_is_wrong_for_hours_is_wrong_until_it_is_put_right(
    tmp_path: Path,
) -> None:
    async with simulated_box(tmp_path) as box:
        box.change(update=UpdateFacts(version="2.0.0", offered_at=NOON - timedelta(days=1)))
        box.machine.remove("run/systemd/timesync/synchronized")
        box.clock_error = timedelta(days=365 * 5)
        jump = box.clock_error.total_seconds()
        await box.live(
            HOUR, lambda at: box.change(clock_moved_seconds=jump, clock_moved_ago_seconds=at)
        )
        assert [(c.kind, c.issue.check.code) for _, c in box.changes] == [("opened", "clock_wrong")]
        box.clock_error = timedelta()
        box.change(clock_moved_seconds=0.0, clock_moved_ago_seconds=0.0)
        await box.live(MINUTE)
        assert [c.kind for _, c in box.changes] == ["opened", "recovered"]


async def test_a_machine_that_does_not_say_where_its_time_comes_from_is_doubted_for_a_while(
    tmp_path: Path,
) -> None:
    async with simulated_box(tmp_path) as box:
        box.machine.remove("run/systemd/timesync")
        await box.live(
            20 * MINUTE,
            lambda at: box.change(clock_moved_seconds=2 * HOUR, clock_moved_ago_seconds=at),
        )
        assert [c.kind for _, c in box.changes] == ["opened", "recovered"]


async def test_what_was_old_before_the_clock_went_wrong_is_not_told_to_be_over(
    tmp_path: Path,
) -> None:
    async with simulated_box(tmp_path) as box:
        box.change(update=UpdateFacts(version="2.0.0", offered_at=NOON - timedelta(days=20)))
        await box.live(MINUTE)
        assert box.heard("opened", "update_postponed")
        box.clock_error = timedelta(days=-3650)
        await box.live(20 * MINUTE)
        assert box.heard("recovered", "update_postponed") == []


async def test_what_was_open_is_open_after_a_restart_and_is_not_told_again(tmp_path: Path) -> None:
    async with simulated_box(tmp_path) as box:
        box.machine.mount(errors=2)
        await box.live(MINUTE)
        first = box.health.status().issues[0]
    again = SimulatedBox(box.machine, seconds=120.0)
    await again.health.recall()
    await again.live(MINUTE)
    assert [issue.id for issue in again.health.status().issues] == [first.id]
    assert again.changes == []
    again.machine.mount()
    await again.live(3 * MINUTE)
    past = await again.health.past_issues(10)
    assert [(issue.id, issue.ended_at is not None) for issue in past] == [(first.id, True)]
    await again.health.stop()


async def test_a_check_that_is_wrong_does_not_blind_the_others(tmp_path: Path) -> None:
    async with simulated_box(tmp_path) as box:
        box.machine.memory(total=0, available=0)  # a share of nothing
        box.machine.mount(read_only=True)
        await box.live(30)
        assert "file_system_read_only" in {c.issue.check.code for _, c in box.changes}
