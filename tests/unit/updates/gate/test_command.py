"""What `allerac prove` does with a judgement."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from allerac.updates import Verdict
from allerac.updates.gate import (
    NEW_BOX,
    NOT_PROVEN,
    PROVEN,
    WENT_BACK,
    Baseline,
    BaselineFile,
    Gate,
    ReasonFile,
    Spoken,
    prove,
)

from .emulated_system import GOOD, EmulatedSlots, EmulatedSystem, QuickClock


class Box:
    """A box that has just booted version 1.1.0."""

    def __init__(self, folder: Path, before: Baseline | None = GOOD) -> None:
        self.folder = folder
        self.system = EmulatedSystem()
        self.slots = EmulatedSlots()
        self.started_at = 20.0
        self.record_seconds = 20.0
        self.identity = folder / "identity"
        self.identity.mkdir()
        self.baseline_file = BaselineFile(folder / "updates" / "baseline.json")
        if before is not None:
            self.baseline_file.write(before)

    async def prove(self, version: str = "1.1.0") -> int:
        """Run the command."""
        return await prove(
            Gate(
                version=version,
                surroundings=self.system.surroundings(),
                installer=self.slots,
                machine=self.slots,
                baseline_file=self.baseline_file,
                reason_file=ReasonFile(self.identity),
                clock=QuickClock(self.started_at),
                record_seconds=self.record_seconds,
            )
        )

    def verdict(self) -> Verdict | None:
        """Return what the other system finds."""
        return ReasonFile(self.identity).read()


class NotedBaselines(BaselineFile):
    """Remembers everything that was written."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.written: list[Baseline] = []

    def write(self, baseline: Baseline) -> None:
        """Write and note."""
        super().write(baseline)
        self.written.append(baseline)


@pytest.fixture
def box(tmp_path: Path) -> Box:
    """A box whose version before was good."""
    return Box(tmp_path)


async def test_a_version_that_works_is_kept_and_becomes_the_measure(box: Box) -> None:
    assert await box.prove() == PROVEN
    assert box.slots.acts == ["good booted"]
    assert box.verdict() == Verdict("1.1.0", True)
    assert box.baseline_file.read().version == "1.1.0"
    assert box.baseline_file.read().tokens_per_second == 10.0


async def test_what_was_proven_is_kept_also_when_the_power_goes_while_it_is_measured(
    box: Box,
) -> None:
    box.baseline_file = noted = NotedBaselines(box.folder / "baseline.json")
    noted.write(replace(GOOD, attempt="an update"))
    assert await box.prove() == PROVEN
    assert noted.written[1] == replace(GOOD, version="1.1.0")
    assert len(noted.written) == 3


class HangingSince(BaselineFile):
    """From the first record on the model of `system` no longer ends its answers."""

    def __init__(self, path: Path, system: EmulatedSystem) -> None:
        super().__init__(path)
        self._system = system

    def write(self, baseline: Baseline) -> None:
        """Write, and hang from now on."""
        super().write(baseline)
        self._system.hangs = True


async def test_a_model_that_hangs_after_the_proof_keeps_no_proven_version_from_its_end(
    box: Box,
) -> None:
    BaselineFile(box.folder / "baseline.json").write(GOOD)
    box.baseline_file = HangingSince(box.folder / "baseline.json", box.system)
    box.record_seconds = 0.2
    async with asyncio.timeout(20):
        assert await box.prove() == PROVEN
    assert box.baseline_file.read() == replace(GOOD, version="1.1.0")


async def test_a_version_that_does_not_work_goes_back_and_says_why(box: Box) -> None:
    box.system.spoken = Spoken("one", 1.0)
    assert await box.prove() == WENT_BACK
    assert box.slots.acts == ["bad booted", "restart"]
    assert box.verdict() == Verdict("1.1.0", False, "too_slow", "1.0 of 10.0 tokens a second")
    assert box.baseline_file.read() == GOOD


async def test_the_first_reason_of_an_attempt_stays(box: Box) -> None:
    box.baseline_file.write(replace(GOOD, attempt="an update"))
    box.system.spoken = Spoken("one", 1.0)
    assert await box.prove() == WENT_BACK
    box.started_at = 400.0
    assert await box.prove() == WENT_BACK
    verdict = box.verdict()
    assert verdict is not None
    assert (verdict.reason, verdict.attempt) == ("too_slow", "an update")
    box.baseline_file.write(replace(GOOD, attempt="the next try"))
    assert await box.prove() == WENT_BACK
    verdict = box.verdict()
    assert verdict is not None
    assert (verdict.reason, verdict.attempt) == ("did_not_prove_itself", "the next try")


async def test_it_goes_back_also_when_the_reason_cannot_be_kept(box: Box) -> None:
    box.identity.rmdir()
    box.system.crash_runtime()
    assert await box.prove() == WENT_BACK
    assert box.slots.acts == ["bad booted", "restart"]


@pytest.mark.parametrize("part", ["other_bootable", "other_complete"])
async def test_it_stays_where_there_is_nothing_to_go_back_to(box: Box, part: str) -> None:
    setattr(box.slots, part, False)
    box.system.crash_runtime()
    assert await box.prove() == NOT_PROVEN
    assert box.slots.acts == []


async def test_an_installer_that_does_not_answer_leaves_it_to_the_boot_loader(box: Box) -> None:
    box.slots.refuses = True
    assert await box.prove() == NOT_PROVEN
    box.system.crash_runtime()
    assert await box.prove() == NOT_PROVEN
    assert box.slots.acts == []
    assert box.baseline_file.read() == GOOD


async def test_a_cable_pulled_since_is_no_reason_to_leave_a_proven_version(box: Box) -> None:
    box.system.now_at = ()
    box.system.spoken = Spoken("one", 1.0)
    assert await box.prove(version="1.0.0") == PROVEN
    assert box.slots.acts == ["good booted"]
    assert box.baseline_file.read() == GOOD
    assert box.verdict() is None


async def test_only_a_proven_version_may_begin_late(box: Box) -> None:
    box.started_at = 400.0
    assert await box.prove(version="1.0.0") == PROVEN
    assert await box.prove(version="1.1.0") == WENT_BACK
    verdict = box.verdict()
    assert verdict is not None
    assert verdict.reason == "did_not_prove_itself"


async def test_a_proven_version_that_no_longer_serves_is_not_marked(box: Box) -> None:
    box.system.crash_runtime()
    assert await box.prove(version="1.0.0") == NOT_PROVEN
    assert box.slots.acts == []


async def test_a_new_box_proves_itself_without_network_people_and_model(tmp_path: Path) -> None:
    box = Box(tmp_path, before=None)
    box.system.now_at, box.system.model = (), None
    assert await box.prove() == PROVEN
    recorded = box.baseline_file.read()
    assert (recorded.version, recorded.addresses, recorded.model_id) == ("1.1.0", (), None)
    assert NEW_BOX.version is None


async def test_a_record_that_cannot_be_kept_takes_nothing_back(box: Box, tmp_path: Path) -> None:
    box.baseline_file = BaselineFile(tmp_path / "identity" / "file" / "baseline.json")
    (tmp_path / "identity" / "file").write_text("in the way")
    assert await box.prove() == PROVEN
    assert box.slots.acts == ["good booted"]
