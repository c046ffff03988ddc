"""What is recorded of a good system."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from allerac.errors import EngineUnavailable
from allerac.updates.gate import NEW_BOX, BaselineFile, Spoken, observe

from .emulated_system import GIB, GOOD, HOME, UNREADABLE, EmulatedSystem


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    file = BaselineFile(tmp_path / "updates" / "baseline.json")
    for baseline in (GOOD, replace(GOOD, model_id=None, canaries=(), addresses=())):
        file.write(baseline)
        assert file.read() == baseline
    assert [path.name for path in (tmp_path / "updates").iterdir()] == ["baseline.json"]


@pytest.mark.parametrize("content", [b"", b"\xff", b"[]", b'{"form": 9}', b'{"form": 1}'])
def test_a_damaged_record_is_that_of_a_new_box(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "baseline.json"
    path.write_bytes(content)
    with capture_logs() as logs:
        assert BaselineFile(path).read() == NEW_BOX
    assert [line["event"] for line in logs] == ["baseline_unreadable"]
    assert BaselineFile(tmp_path / "missing.json").read() == NEW_BOX


async def test_a_good_system_is_recorded_whole() -> None:
    system = EmulatedSystem(free=7 * GIB)
    seen = await observe(system.surroundings(), "1.1.0", NEW_BOX)
    assert seen == replace(GOOD, version="1.1.0", disk_free_bytes=7 * GIB)


async def test_what_does_not_work_is_not_recorded_as_working() -> None:
    system = EmulatedSystem(
        now_at=(), silent={"127.0.0.1"}, database=UNREADABLE, free=OSError(5, "error"), model=None
    )
    seen = await observe(system.surroundings(), "1.1.0", GOOD)
    assert seen == replace(NEW_BOX, version="1.1.0", sign_in=False, database=False)


async def test_its_own_speed_is_what_is_usual_for_this_unit() -> None:
    seen, system = GOOD, EmulatedSystem()
    for speed in (9.0, 30.0, 10.0, 11.0, 2.0):
        system.spoken = Spoken("one", speed)
        seen = await observe(system.surroundings(), "1.1.0", seen)
    assert seen.canaries == (10.0, 9.0, 30.0, 10.0, 11.0, 2.0)
    assert seen.tokens_per_second == 10.0


async def test_canaries_of_long_ago_are_forgotten() -> None:
    system = EmulatedSystem(spoken=Spoken("one", 8.0))
    seen = replace(GOOD, canaries=(10.0,) * 15)
    for _ in range(10):
        seen = await observe(system.surroundings(), "1.1.0", seen)
    assert (len(seen.canaries), seen.tokens_per_second) == (15, 8.0)


@pytest.mark.parametrize("speed", [None, float("nan"), float("inf")])
async def test_a_speed_that_is_none_is_not_recorded(speed: float | None) -> None:
    system = EmulatedSystem(spoken=Spoken("one", speed))
    assert (await observe(system.surroundings(), "1.1.0", GOOD)).canaries == (10.0,)


async def test_a_hot_machine_does_not_lower_the_measure() -> None:
    system = EmulatedSystem(spoken=Spoken("one", 2.0), hot=True)
    assert (await observe(system.surroundings(), "1.1.0", GOOD)).canaries == (10.0,)


async def test_while_people_are_answered_all_but_the_speed_is_recorded() -> None:
    system = EmulatedSystem(spoken=Spoken("one", 2.0), now_at=())
    seen = await observe(system.surroundings(), "1.1.0", GOOD, with_canary=False)
    assert (seen.addresses, seen.canaries) == ((), (10.0,))
    assert "canary" not in system.asked


def test_a_record_of_a_version_that_knew_no_canaries_is_read(tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    BaselineFile(path).write(GOOD)
    known = json.loads(path.read_text())
    del known["canaries"], known["attempt"]
    path.write_text(json.dumps(known))
    assert BaselineFile(path).read() == replace(GOOD, canaries=())


async def test_another_model_has_a_speed_of_its_own() -> None:
    system = EmulatedSystem(model="larger", spoken=Spoken("one", 2.0), now_at=(HOME,))
    seen = await observe(system.surroundings(), "1.1.0", GOOD)
    assert (seen.model_id, seen.tokens_per_second) == ("larger", 2.0)


async def test_a_model_that_does_not_answer_has_no_speed() -> None:
    system = EmulatedSystem(model="larger", spoken=EngineUnavailable("stopped"))
    assert (await observe(system.surroundings(), "1.1.0", GOOD)).tokens_per_second is None
