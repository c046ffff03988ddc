"""Updates that go wrong on the booted box: versions that do not work, and power that is cut.

Hours, so they are the matrix. `ALLERAC_SEED` decides when the power is cut, and `ALLERAC_EVIDENCE`
names the table that the results are written to.
"""

import json
import os
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from tests.image.booted_box import BootedBox
from tests.image.broken_versions import (
    BROKEN,
    proves_itself_sooner,
    with_crashing_runtime,
)
from tests.image.conftest import BUILD_SECONDS, BuiltImage
from tests.image.next_build import build_next
from tests.image.power_cuts import CUTS, state_of, until
from tests.image.prepared_unit import (
    INSTALLED,
    READY,
    SAID,
    PreparedUnit,
    install,
    settle_in,
    take,
    what_was_said,
)
from tests.image.successor import Change, Predecessor, with_more_in_one_file
from tests.image.update_evidence import Evidence
from tests.image.update_shelf import UpdateShelf
from tests.image.updating import (
    VERDICT_SECONDS,
    installed_version,
    wait_for_state,
    wait_for_verdict,
    wait_for_way_back,
    wait_until_proven,
)
from tests.image.visited_box import API

pytestmark = [pytest.mark.matrix, pytest.mark.timeout(2 * BUILD_SECONDS)]

NEXT: Final = "0.1.1"
CUT_ANSWERS: Final = 100
LARGEST_SHARE: Final = 0.10
"""Of a bundle, fetched when one file of the runtime changed."""

CLOCKS: Final = {"clock 20 years ahead": 20 * 365, "clock 20 years behind": -20 * 365}
"""How many days the battery-backed clock is off.

systemd takes no time before the image's own, and none 15 years after its own build
(clock-valid-range-usec-max): the box goes on with the last time that it knew. A clock that is off
by less is doubted (tests/unit/updates/test_catalogue.py).
"""

SERVER_CUTS: Final = f"server cuts {CUT_ANSWERS} answers"
REALLY_BUILT: Final = "next version, built from its own commit"
SILENT: Final = "silent server"
FLIPPED: Final = "one bit flipped"
GONE_BACK: Final = "asked to go back"
POWER_CUTS: Final = [
    (phase, number) for phase, (times, _) in CUTS.items() for number in range(1, times + 1)
]
CASES: Final = [
    *(SERVER_CUTS, REALLY_BUILT, SILENT, FLIPPED, GONE_BACK),
    *BROKEN,
    *CLOCKS,
    *(f"power cut: {phase} {number}" for phase, number in POWER_CUTS),
]
"""Everything that runs here, as image/update_cases.yaml has it."""


@pytest.fixture(scope="module")
def seed() -> int:
    """What decides when the power is cut."""
    return int(os.environ.get("ALLERAC_SEED", "1"))


@pytest.fixture(scope="module")
def evidence(seed: int, vm_image: BuiltImage) -> Evidence:
    """Where the results are written to, when somebody asked for it."""
    file = os.environ.get("ALLERAC_EVIDENCE")
    made = json.loads((vm_image.folder / "build-summary.json").read_text())
    return Evidence(Path(file).resolve() if file else None, seed, made["commit"])


@pytest.fixture(scope="module")
def before(vm_image: BuiltImage, tmp_path_factory: pytest.TempPathFactory) -> Predecessor:
    """What the units run."""
    return Predecessor.of(vm_image, tmp_path_factory.mktemp("before") / "slots")


@pytest.fixture(scope="module")
def ready(
    vm_image: BuiltImage, may_emulate_networks: None, tmp_path_factory: pytest.TempPathFactory
) -> PreparedUnit:
    """A unit whose household has settled in; `ALLERAC_TEST_UNIT` keeps one for several runs."""
    kept = os.environ.get("ALLERAC_TEST_UNIT")
    folder = Path(kept) if kept else tmp_path_factory.mktemp("ready") / "unit"
    if (folder / "is-ready").exists():
        return PreparedUnit(folder)
    shelf = UpdateShelf(tmp_path_factory.mktemp("nothing"))
    unit = settle_in(vm_image, folder, shelf)
    (folder / "is-ready").touch()
    return unit


def _shelf(before: Predecessor, folder: Path, *changes: Change) -> UpdateShelf:
    shelf = UpdateShelf(folder)
    folder.mkdir(parents=True, exist_ok=True)
    bundle = before.successor(NEXT, folder / "made", *changes)
    shelf.publish(bundle)
    bundle.unlink()
    return shelf


@pytest.fixture(scope="module")
def good(before: Predecessor, tmp_path_factory: pytest.TempPathFactory) -> UpdateShelf:
    """A next version that works."""
    return _shelf(before, tmp_path_factory.mktemp("good"))


@pytest.fixture(scope="module")
def installed(
    ready: PreparedUnit, good: UpdateShelf, tmp_path_factory: pytest.TempPathFactory
) -> PreparedUnit:
    """A unit that has installed the version that works."""
    return install(ready, tmp_path_factory.mktemp("installed"), good)


@pytest.fixture(scope="module")
def bad(before: Predecessor, tmp_path_factory: pytest.TempPathFactory) -> UpdateShelf:
    """A next version that goes back."""
    folder = tmp_path_factory.mktemp("bad")
    return _shelf(before, folder, proves_itself_sooner, with_crashing_runtime)


@pytest.fixture(scope="module")
def installed_bad(
    ready: PreparedUnit, bad: UpdateShelf, tmp_path_factory: pytest.TempPathFactory
) -> PreparedUnit:
    """A unit that has installed the version that goes back."""
    return install(ready, tmp_path_factory.mktemp("installed-bad"), bad)


@pytest.mark.parametrize("broken", BROKEN)
def test_a_broken_version_goes_back_by_itself_and_says_why(
    before: Predecessor, ready: PreparedUnit, evidence: Evidence, tmp_path: Path, broken: str
) -> None:
    change, reasons = BROKEN[broken]
    shelf = _shelf(before, tmp_path / "shelf", proves_itself_sooner, change)
    with evidence.of(broken) as trial, ready.at(READY, tmp_path / "unit", shelf) as box:
        installed_before = installed_version(box)
        take(box)
        box.call("POST", "/updates/restart")
        verdict = wait_for_verdict(box)
        assert (verdict["version"], verdict["result"]) == (NEXT, "rolled_back"), verdict
        assert verdict["reason"]["name"] in reasons, verdict
        assert installed_version(box) == installed_before
        assert what_was_said(box) == list(SAID)
        trial.result = f"back by itself: `{verdict['reason']['name']}`"


def test_a_server_that_cuts_a_hundred_answers_only_delays_the_update(
    before: Predecessor, ready: PreparedUnit, evidence: Evidence, tmp_path: Path
) -> None:
    shelf = _shelf(before, tmp_path / "shelf", with_more_in_one_file)
    shelf.cut(CUT_ANSWERS, evidence.seed)
    with (
        evidence.of(SERVER_CUTS) as trial,
        ready.at(READY, tmp_path / "unit", shelf) as box,
    ):
        take(box)
        assert shelf.cuts() == CUT_ANSWERS
        trial.result = f"installed; fetched {shelf.sent_bytes() / 1e6:.1f} MB"


def test_a_version_that_was_really_built_fetches_little_and_is_kept(
    ready: PreparedUnit, evidence: Evidence, tmp_path: Path
) -> None:
    shelf = UpdateShelf(tmp_path / "shelf")
    shelf.folder.mkdir()
    shelf.publish(build_next(NEXT, tmp_path / "next").file(".raucb"))
    with (
        evidence.of(REALLY_BUILT) as trial,
        ready.at(READY, tmp_path / "unit", shelf) as box,
    ):
        take(box)
        share = shelf.sent_bytes() / shelf.bundle_bytes()
        assert share <= LARGEST_SHARE, f"{shelf.sent_bytes()} of {shelf.bundle_bytes()} bytes"
        box.call("POST", "/updates/restart")
        assert wait_for_verdict(box)["result"] == "good"
        assert what_was_said(box) == list(SAID)
        trial.result = f"kept; fetched {share:.1%} of the bundle"


def test_a_server_that_says_nothing_is_given_up_on_and_tried_again(
    before: Predecessor, ready: PreparedUnit, evidence: Evidence, tmp_path: Path
) -> None:
    shelf = _shelf(before, tmp_path / "shelf")
    with evidence.of(SILENT) as trial, ready.at(READY, tmp_path / "unit", shelf) as box:
        assert box.call("POST", "/updates/check")["state"] == "available"
        shelf.be_silent(on=True)
        box.call("POST", "/updates/install")
        reason = _wait_for_reason(box)
        assert reason["name"] == "server_slow", reason
        shelf.be_silent(on=False)
        _look_again(box)
        trial.result = "`server_slow`, then installed"


def test_a_bundle_with_another_bit_is_not_started_and_the_whole_one_is_taken(
    before: Predecessor, ready: PreparedUnit, evidence: Evidence, tmp_path: Path
) -> None:
    shelf = _shelf(before, tmp_path / "shelf")
    with evidence.of(FLIPPED) as trial, ready.at(READY, tmp_path / "unit", shelf) as box:
        shelf.flip(evidence.seed)
        assert box.call("POST", "/updates/check")["state"] == "available"
        box.call("POST", "/updates/install")
        reason = _wait_for_reason(box)
        assert state_of(box) != INSTALLED
        at = shelf.flip_back()
        _look_again(box)
        trial.result = f"`{reason['name']}` (byte {at:,}), then installed whole"


def test_going_back_keeps_what_either_version_was_told(
    installed: PreparedUnit, good: UpdateShelf, evidence: Evidence, tmp_path: Path
) -> None:
    with evidence.of(GONE_BACK) as trial, installed.at(INSTALLED, tmp_path, good) as box:
        first = installed_version(box)
        box.call("POST", "/updates/restart")
        assert wait_for_verdict(box)["result"] == "good"
        assert installed_version(box) == NEXT
        conversation = box.call("POST", "/conversations", {})["id"]
        said = box.say(conversation, "In the new version")
        assert box.follow(said["answer"]["id"])[-1][0] == "done"
        wait_for_way_back(box)
        box.call("POST", "/updates/go-back")
        until(lambda: _version(box) == first, VERDICT_SECONDS)
        box.wait_ready()
        assert sorted(what_was_said(box)) == sorted([*SAID, "In the new version"])
        again = box.say(conversation, SAID[0])
        assert box.follow(again["answer"]["id"])[-1][0] == "done"
        trial.result = f"{first} runs, and has what {NEXT} was told"


@pytest.mark.parametrize("case", CLOCKS)
def test_a_clock_that_is_twenty_years_off_is_seen_through(
    ready: PreparedUnit, good: UpdateShelf, evidence: Evidence, tmp_path: Path, case: str
) -> None:
    clock = datetime.now(UTC) + timedelta(days=CLOCKS[case])
    with evidence.of(case) as trial, ready.started(tmp_path, good, clock) as box:
        wait_until_proven(box)
        take(box)
        assert what_was_said(box) == list(SAID)
        conversation = box.call("POST", "/conversations", {})["id"]
        assert box.follow(box.say(conversation, SAID[0])["answer"]["id"])[-1][0] == "done"
        trial.result = "installed: such a clock is not believed"


def _wait_for_reason(box: BootedBox) -> dict[str, Any]:
    """Wait until the box says why an update does not go on."""
    until(lambda: box.call("GET", "/updates")["reason"] is not None)
    reason: dict[str, Any] = box.call("GET", "/updates")["reason"]
    return reason


def _look_again(box: BootedBox) -> None:
    """Ask for updates: what was begun and cut off goes on by itself, until it is installed."""
    box.call("POST", "/updates/check")
    wait_for_state(box, INSTALLED)


def _version(box: BootedBox) -> str:
    """Return the version that runs; nothing while nobody answers."""
    answer = box.request("GET", f"{API}/updates", seconds=10)
    return str(answer["body"]["installed"]) if answer["status"] == 200 else ""


@pytest.mark.parametrize(("phase", "number"), POWER_CUTS)
def test_a_power_cut_leaves_a_system_that_works_with_its_data(
    request: pytest.FixtureRequest,
    evidence: Evidence,
    tmp_path: Path,
    phase: str,
    number: int,
) -> None:
    state, unit, shelf = _beginning(request, phase)
    chance = random.Random(f"{evidence.seed}/{phase}/{number}")  # noqa: S311 - no secret
    lead_there = CUTS[phase][1]
    case = f"power cut: {phase} {number}"
    with evidence.of(case) as trial, unit.at(state, tmp_path, shelf) as box:
        lead_there(box, shelf, chance)
        box.emulator.kill()
        trial.result = _works_with_its_data(box)


def _beginning(request: pytest.FixtureRequest, phase: str) -> tuple[str, PreparedUnit, UpdateShelf]:
    """Return the state to begin from, the unit that has it, and what it is offered."""
    if phase in {"download", "install"}:
        return READY, request.getfixturevalue("ready"), request.getfixturevalue("good")
    if phase == "rollback":
        return INSTALLED, request.getfixturevalue("installed_bad"), request.getfixturevalue("bad")
    return INSTALLED, request.getfixturevalue("installed"), request.getfixturevalue("good")


def _works_with_its_data(box: BootedBox) -> str:
    """Give it power again, and tell what it became."""
    box.switch_on()
    box.find()
    box.wait_ready()
    box.sign_in()
    assert what_was_said(box) == list(SAID)
    conversation = box.call("POST", "/conversations", {})["id"]
    assert box.follow(box.say(conversation, SAID[0])["answer"]["id"])[-1][0] == "done"
    return f"works: {installed_version(box)}, {state_of(box)}"
