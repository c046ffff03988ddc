"""Each proof, and what a broken version fails with."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allerac.errors import EngineUnavailable, StorageDamaged
from allerac.updates.gate import (
    NEW_BOX,
    Baseline,
    BoxAddress,
    DataState,
    Fault,
    Judgement,
    NotProvenError,
    Page,
    Proof,
    Runner,
    Sentence,
    Spoken,
    Surroundings,
    find_proofs,
)

from .emulated_system import GIB, GOOD, HOME, UNREADABLE, EmulatedSystem, QuickClock

Break = Callable[[EmulatedSystem], None]


async def judge(
    system: EmulatedSystem, baseline: Baseline = GOOD, clock: QuickClock | None = None
) -> Judgement:
    """Hold `system` to all proofs."""
    runner = Runner(system.surroundings(), clock or QuickClock())
    return await runner.judge(find_proofs(), baseline)


def set_to(**values: object) -> Break:
    """Return what sets these parts."""

    def broken(system: EmulatedSystem) -> None:
        for name, value in values.items():
            setattr(system, name, value)

    return broken


BROKEN: dict[str, tuple[Break, str]] = {
    "no network driver": (set_to(now_at=()), "address_lost"),
    "nobody listens on the network": (set_to(silent={HOME.ip}), "address_lost"),
    "crashing runtime": (EmulatedSystem.crash_runtime, "sign_in_not_served"),
    "no proxy": (set_to(silent={"127.0.0.1", HOME.ip}), "sign_in_not_served"),
    "no web application": (set_to(page=Page(404, "<html>")), "sign_in_not_served"),
    "an empty page": (set_to(page=Page(200, "")), "sign_in_not_served"),
    "missing model": (set_to(model=None), "model_not_loaded"),
    "another model": (set_to(model="demo"), "model_missing"),
    "engine gave up": (set_to(model=EngineUnavailable("stopped")), "model_not_loaded"),
    "ten times slower": (set_to(spoken=Spoken("one", 1.0)), "too_slow"),
    "just too slow": (set_to(spoken=Spoken("one", 6.99)), "too_slow"),
    "says nothing": (set_to(spoken=Spoken(" ", 10.0)), "no_answer"),
    "says one token": (set_to(spoken=Spoken("one", None)), "no_answer"),
    "no number": (set_to(spoken=Spoken("one", float("nan"))), "no_answer"),
    "engine dies": (set_to(spoken=EngineUnavailable("stopped")), "no_answer"),
    "slow and hot": (set_to(spoken=Spoken("one", 3.0), hot=True), "too_hot"),
    "disk filled": (set_to(free=100), "disk_filled"),
    "disk fails": (set_to(free=OSError(5, "Input/output error")), "disk_filled"),
    "database closed": (set_to(database=UNREADABLE), "database_not_opened"),
    "database damaged": (set_to(database=StorageDamaged("page 3")), "data_damaged"),
    "not migrated": (set_to(database=DataState(2, 3, claimed=True)), "database_not_migrated"),
    "an empty database": (set_to(database=DataState(3, 3, claimed=False)), "data_missing"),
}


@pytest.mark.parametrize("name", BROKEN)
async def test_a_broken_version_fails_within_five_minutes_with_its_own_reason(name: str) -> None:
    breaks, fault = BROKEN[name]
    system, clock = EmulatedSystem(), QuickClock()
    breaks(system)
    judgement = await judge(system, clock=clock)
    assert not judgement.passed
    found = judgement.faults[0]
    sys.stdout.write(f"{name}: {found.fault} ({found.detail}) after {clock.now:.0f} s\n")
    assert found.fault == fault
    assert judgement.faults[0].detail
    assert clock.now <= 300


async def test_a_version_in_which_all_works_as_before_passes_every_proof() -> None:
    judgement = await judge(EmulatedSystem())
    assert judgement.passed
    assert set(judgement.proven) == {proof.code for proof in find_proofs()}
    assert judgement.not_required == ()


@pytest.mark.parametrize("speed", [7.0, 10.0, 200.0])
async def test_seventy_percent_of_its_own_speed_is_enough(speed: float) -> None:
    assert (await judge(EmulatedSystem(spoken=Spoken("one", speed)))).passed


async def test_an_offline_home_passes_offline() -> None:
    system = EmulatedSystem(now_at=())
    judgement = await judge(system, replace(GOOD, addresses=()))
    assert judgement.passed
    assert "addresses" in judgement.not_required
    assert "addresses" not in system.asked


async def test_a_box_before_its_first_day_needs_no_people_network_or_model() -> None:
    system = EmulatedSystem(now_at=(), model=None, database=DataState(3, 3, claimed=False))
    judgement = await judge(system, NEW_BOX)
    assert judgement.proven == ("database", "sign_in")


async def test_a_database_of_a_newer_version_is_good_enough_for_the_way_back() -> None:
    assert (await judge(EmulatedSystem(database=DataState(5, 3, claimed=True)))).passed


async def test_another_address_from_the_router_is_no_loss() -> None:
    moved = BoxAddress(HOME.interface, "192.168.7.99")
    system = EmulatedSystem(now_at=(moved,))
    assert (await judge(system)).passed
    assert f"{moved.ip}/" in system.asked


async def test_the_same_address_on_a_renamed_interface_is_no_loss() -> None:
    assert (await judge(EmulatedSystem(now_at=(BoxAddress("eth0", HOME.ip),)))).passed


async def test_ipv6_that_the_provider_took_away_is_not_missed_beside_ipv4() -> None:
    before = (BoxAddress(HOME.interface, "2001:db8::7"), HOME)
    assert (await judge(EmulatedSystem(), replace(GOOD, addresses=before))).passed
    only = (BoxAddress(HOME.interface, "2001:db8::7"),)
    assert not (await judge(EmulatedSystem(), replace(GOOD, addresses=only))).passed


async def test_of_two_networks_both_are_required() -> None:
    second = BoxAddress("wlan0", "192.168.8.20")
    judgement = await judge(EmulatedSystem(), replace(GOOD, addresses=(HOME, second)))
    assert judgement.faults == (
        Fault("addresses", "address_lost", "wlan0 had 192.168.8.20 and has no address"),
    )


WORKED = st.builds(
    Baseline,
    version=st.just("1.0.0"),
    sign_in=st.booleans(),
    database=st.booleans(),
    claimed=st.booleans(),
    addresses=st.sampled_from([(), (HOME,)]),
    disk_free_bytes=st.sampled_from([0, GIB]),
    model_id=st.sampled_from([None, "household-4b"]),
    canaries=st.sampled_from([(), (10.0,)]),
)


@settings(deadline=None)
@given(baseline=WORKED, broken=st.sets(st.sampled_from(sorted(BROKEN)), max_size=4))
def test_what_did_not_work_before_is_never_required(baseline: Baseline, broken: set[str]) -> None:
    system = EmulatedSystem()
    for name in sorted(broken):
        BROKEN[name][0](system)
    judgement = asyncio.run(judge(system, baseline))
    codes = {fault.proof for fault in judgement.faults} | set(judgement.proven)
    worked = {
        "sign_in": baseline.sign_in,
        "database": baseline.database,
        "addresses": bool(baseline.addresses),
        "disk_headroom": baseline.disk_free_bytes > 0,
        "model": baseline.model_id is not None,
        "canary": baseline.model_id is not None,
    }
    assert codes == {code for code, did in worked.items() if did}
    if baseline.tokens_per_second is None:
        assert "too_slow" not in {fault.fault for fault in judgement.faults}
    if not baseline.claimed:
        assert "data_missing" not in {fault.fault for fault in judgement.faults}


async def test_of_several_failures_the_cause_is_the_reason() -> None:
    system = EmulatedSystem(free=0, database=UNREADABLE)
    system.crash_runtime()
    faults = [fault.fault for fault in (await judge(system)).faults]
    assert faults[:3] == ["disk_filled", "database_not_opened", "sign_in_not_served"]


async def test_what_comes_up_late_but_in_time_passes() -> None:
    system, clock = EmulatedSystem(model=None, now_at=()), QuickClock()
    system.runtime_runs = False
    clock.at(200, lambda: set_to(model="household-4b", now_at=(HOME,), runtime_runs=True)(system))
    assert (await judge(system, clock=clock)).passed


async def test_what_comes_up_after_five_minutes_is_too_late() -> None:
    system, clock = EmulatedSystem(model=None), QuickClock()
    clock.at(301, lambda: set_to(model="household-4b")(system))
    assert (await judge(system, clock=clock)).faults[0].fault == "model_not_loaded"


async def test_a_runtime_that_crashes_again_and_again_never_holds() -> None:
    system, clock = EmulatedSystem(), QuickClock()
    for second in range(20, 301, 20):
        clock.at(second, lambda: set_to(runtime_runs=False)(system))
        clock.at(second + 6, lambda: set_to(runtime_runs=True)(system))
    assert (await judge(system, clock=clock)).faults[0].fault == "sign_in_not_served"


async def test_a_hot_machine_waits_until_it_is_as_fast_as_before() -> None:
    system, clock = EmulatedSystem(spoken=Spoken("one", 4.0), hot=True), QuickClock()
    clock.at(120, lambda: set_to(spoken=Spoken("one", 9.5), hot=False)(system))
    assert (await judge(system, clock=clock)).passed


async def test_a_gate_that_begins_too_late_says_so_and_tries_nothing() -> None:
    system = EmulatedSystem()
    judgement = await judge(system, clock=QuickClock(started_at=301))
    assert {fault.fault for fault in judgement.faults} == {"did_not_prove_itself"}
    assert system.asked == []


async def test_an_attempt_that_hangs_is_given_up_and_one_that_is_broken_proves_nothing() -> None:
    async def hang(_: Surroundings, __: Baseline) -> None:
        await asyncio.Event().wait()

    async def break_down(_: Surroundings, __: Baseline) -> None:
        raise ZeroDivisionError

    def proof(code: str, attempt: Callable[[Surroundings, Baseline], Awaitable[None]]) -> Proof:
        return Proof(
            code=code,
            rank=1,
            timeout_seconds=0.01,
            faults={f"{code}_failed": Sentence("It failed.", "Es ging nicht.")},
            required=lambda _: True,
            attempt=attempt,
        )

    runner = Runner(EmulatedSystem().surroundings(), QuickClock(290))
    judgement = await runner.judge([proof("hang", hang), proof("broken", break_down)], GOOD)
    assert {fault.fault for fault in judgement.faults} == {"hang_failed", "broken_failed"}


def test_proofs_are_data_with_codes_of_their_own_and_sentences_in_both_languages() -> None:
    proofs = find_proofs()
    assert len({proof.code for proof in proofs}) == len({proof.rank for proof in proofs})
    faults = [fault for proof in proofs for fault in proof.faults]
    assert len(faults) == len(set(faults))
    for proof in proofs:
        assert 0 < proof.timeout_seconds < 300
        for sentence in proof.faults.values():
            assert sentence.en.endswith(".")
            assert sentence.de.endswith(".")
            assert sentence.en != sentence.de


def test_every_fault_that_a_proof_raises_is_one_that_it_names() -> None:
    named = {fault for proof in find_proofs() for fault in proof.faults}
    assert {fault for _, fault in BROKEN.values()} == named
    assert str(NotProvenError("too_slow", "1 of 9")) == "too_slow: 1 of 9"
