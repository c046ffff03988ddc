"""What the other rooms of a claimed box know becomes issues; only time is simulated."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from allerac.app.health_onlookers import Onlookers
from allerac.appliance.certificate import CertificateFolder
from allerac.appliance.clock import ClockWatch, since_boot
from allerac.health import BoxFacts, Issue
from allerac.network.identity import BoxIdentity
from allerac.storage.device_history import DeviceHistory, StoredStart
from allerac.updates import UpdateStatus
from tests.api.conftest import Household
from tests.api.health_box import DEADLINE_SECONDS, HealthBox, codes_of, health_box
from tests.recorded_machine import MachineTime, RecordedMachine
from tests.simulated_box import NOON, SimulatedBox

pytestmark = pytest.mark.timeout(300)

MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class LookingBox:
    """`time` passes as fast as it is told to; what it asks is the claimed box."""

    claimed: HealthBox
    time: SimulatedBox

    @property
    def onlookers(self) -> Onlookers:
        looking: Onlookers = self.claimed.app.state.runtime.health.onlookers
        return looking

    async def until_known(self, known: Callable[[BoxFacts], bool]) -> BoxFacts:
        """Return what the other rooms say once they do; they are asked now and then."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            while not known(facts := await self.onlookers.look()):  # noqa: ASYNC110 - no event to wait on
                await asyncio.sleep(0.05)
        return facts

    async def issue(self, code: str, *, within_seconds: float = MINUTE) -> Issue:
        await self.time.live(within_seconds)
        issues = {issue.check.code: issue for issue in self.time.health.status().issues}
        return issues[code]


@pytest.fixture
async def box(tmp_path: Path) -> AsyncIterator[LookingBox]:
    async with health_box(tmp_path) as claimed:
        onlookers = claimed.app.state.runtime.health.onlookers
        time = SimulatedBox(claimed.machine, ask=onlookers.look)
        yield LookingBox(claimed, time)
        await time.health.stop()


@dataclass(frozen=True, slots=True)
class Taken:
    """A network on which another machine has the box's name, as the announcer tells it."""

    identity: BoxIdentity

    def conflict(self) -> str:
        return "Another machine (192.168.1.5) on this network is called anas-box.local."


async def test_a_name_that_is_taken_is_told_in_one_language_at_a_time(box: LookingBox) -> None:
    rooms = box.onlookers.rooms
    identity = rooms.presence.identity
    assert identity is not None
    name = f"{identity.label}.local"
    box.onlookers.rooms = replace(rooms, presence=Taken(identity))
    issue = await box.issue("name_conflict")
    assert issue.words("en").meaning == f"Two devices on this network answer to {name}."
    assert issue.words("de").meaning == f"Zwei Geräte in diesem Netz hören auf {name}."


@dataclass(frozen=True, slots=True)
class LastTry:
    """Updates whose last try ended for this reason."""

    status_before: UpdateStatus
    reason: str

    async def status(self) -> UpdateStatus:
        return replace(self.status_before, reason=self.reason)


@pytest.mark.parametrize(
    ("reason", "codes"),
    [
        ("server_unreachable", set()),
        ("no_server", set()),
        ("did_not_prove_itself", {"update_failed"}),
        ("bundle_untrusted", {"update_failed"}),
    ],
)
async def test_a_box_without_internet_is_told_of_no_update_that_failed(
    box: LookingBox, reason: str, codes: set[str]
) -> None:
    rooms = box.onlookers.rooms
    last = LastTry(await rooms.updates.status(), reason)
    box.onlookers.rooms = replace(rooms, updates=last)  # type: ignore[arg-type]  # asked for its status alone
    await box.until_known(lambda facts: bool(facts.update and facts.update.failed) == bool(codes))
    await box.time.live(MINUTE)
    assert {issue.check.code for issue in box.time.health.status().issues} == codes


async def test_many_wrong_sign_ins_are_told_with_their_number(box: LookingBox) -> None:
    stranger = Household(box.claimed.app).open("stranger")
    for number in range(12):
        wrong = {"name": "Ana", "password": f"not the lantern {number}"}
        refused = await stranger.post("/api/v1/session", json=wrong)
        assert refused.status_code in {401, 403, 429}, refused.text
    await stranger.aclose()
    facts = await box.until_known(lambda facts: facts.failed_sign_ins >= 10)
    issue = await box.issue("sign_ins_failed")
    assert issue.words("en").meaning.startswith(f"{facts.failed_sign_ins} sign-ins failed")


async def test_a_certificate_that_was_not_renewed_is_told(box: LookingBox) -> None:
    folder = CertificateFolder(box.claimed.settings.data_dir / "tls")
    folder.ensure([], ["127.0.0.1"], datetime.now(UTC))
    facts = await box.until_known(lambda facts: facts.certificate_expires_at is not None)
    assert facts.certificate_expires_at is not None
    box.time.clock_error = facts.certificate_expires_at - timedelta(days=2) - NOON
    issue = await box.issue("certificate_expiring", within_seconds=11 * MINUTE)
    assert issue.finding.severity == "warning"


@pytest.mark.parametrize("years", [10, 5, -10])
async def test_a_clock_that_jumps_by_years_is_told_and_nothing_else(
    box: LookingBox, years: int
) -> None:
    folder = CertificateFolder(box.claimed.settings.data_dir / "tls")
    folder.ensure([], ["127.0.0.1"], datetime.now(UTC))
    await box.until_known(lambda facts: facts.certificate_expires_at is not None)
    box.claimed.machine.remove("run/systemd/timesync/synchronized")
    heard, wall = asyncio.Event(), [0.0]
    heard_again = asyncio.Event()

    async def follow(_: datetime, step: timedelta) -> None:
        box.onlookers.clock_was_set(step)
        (heard_again if heard.is_set() else heard).set()

    watch = ClockWatch(follow, wall=lambda: wall[0], steady=lambda: 0.0, look_seconds=0.01)
    await watch.start()
    await box.time.live(MINUTE)
    jump = timedelta(days=365 * years)
    wall[0], box.time.clock_error = jump.total_seconds(), jump
    async with asyncio.timeout(DEADLINE_SECONDS):
        await heard.wait()
    await box.time.live(20 * MINUTE)
    assert [change.issue.check.code for _, change in box.time.changes] == ["clock_wrong"]
    wall[0], box.time.clock_error = 0.0, timedelta()
    async with asyncio.timeout(DEADLINE_SECONDS):
        await heard_again.wait()
    await watch.stop()
    await box.time.live(MINUTE)
    assert [change.kind for _, change in box.time.changes] == ["opened", "recovered"]


async def test_a_clock_that_was_set_five_years_on_is_told_by_the_next_runtime_too(
    tmp_path: Path,
) -> None:
    years = timedelta(days=5 * 365)
    machine = RecordedMachine(tmp_path / "machine").usual()
    machine.write("proc/sys/kernel/random/boot_id", "first")
    machine.remove("run/systemd/timesync/synchronized")
    (tmp_path / "data").mkdir()
    diary = DeviceHistory(tmp_path / "data" / "health.sqlite")
    began = datetime.now(UTC) - years
    diary.note_start(StoredStart("first", since_boot(), began.timestamp()))
    diary.close()
    with MachineTime(machine).passing(20.0):
        async with health_box(tmp_path, machine) as claimed:
            issue = await claimed.until_issue("clock_wrong")
            assert issue["evidence"]["hours_moved"] == 5 * 365 * 24
            machine.write("run/systemd/timesync/synchronized", "")
            await claimed.until(lambda health: "clock_wrong" not in codes_of(health))
