"""A claimed box, from an answer to its next version and through a power cut, without a way out.

The tests are one story and run in order: each goes on where the one before stopped. There are two
starts, the first one and that of the update after a power cut: minutes each, so this is the matrix.
"""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.image.booted_box import BootedBox, flashed_unit, words_of
from tests.image.conftest import BUILD_SECONDS, BuiltImage
from tests.image.offline_disk import complaints
from tests.image.successor import Predecessor, with_more_in_one_file
from tests.image.talker import talking
from tests.image.update_shelf import UpdateShelf, served
from tests.image.updating import (
    INSTALL_SECONDS,
    installed_version,
    wait_for_state,
    wait_for_verdict,
    wait_for_way_back,
    wait_until_proven,
)

pytestmark = [pytest.mark.matrix, pytest.mark.timeout(BUILD_SECONDS)]

PASSAGE = "Ana's bicycle is blue. Ben's bicycle is red.\n\nWhat colour is Ana's bicycle?"
AFTERWARDS = "The garage code is 2846.\n\nWhat is the garage code?"
NEXT = "0.1.1"
ANSWER_SECONDS = 120
LARGEST_SHARE = 0.10
"""Of a bundle, fetched when one file of the runtime changed."""


def _publish_next(image: BuiltImage, shelf: UpdateShelf) -> None:
    """Offer the next version of the image, in which one file of the runtime is another."""
    before = Predecessor.of(image, shelf.folder / "before")
    shelf.publish(before.successor(NEXT, shelf.folder / "after", with_more_in_one_file))


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> UpdateShelf:
    """Where the box's server finds updates; empty at first."""
    return UpdateShelf(tmp_path_factory.mktemp("next"))


@pytest.fixture(scope="module")
def box(
    vm_image: BuiltImage,
    shelf: UpdateShelf,
    may_emulate_networks: None,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[BootedBox]:
    """A claimed unit that updates when it is told to, and the server it asks."""
    folder = tmp_path_factory.mktemp("unit")
    with flashed_unit(vm_image.file(".img"), folder) as unit, served(shelf, unit.lan):
        unit.switch_on()
        unit.find()
        unit.claim(unit.claim_code())
        unit.call("PATCH", "/updates/settings", {"automatic": False})  # it would begin by itself
        unit.wait_ready()
        yield unit


@pytest.fixture(scope="module")
def published(box: BootedBox, vm_image: BuiltImage, shelf: UpdateShelf) -> Iterator[Future[None]]:
    """The next version, made while the box starts."""
    with ThreadPoolExecutor(1) as maker:
        yield maker.submit(_publish_next, vm_image, shelf)


@pytest.fixture(scope="module")
def conversation(box: BootedBox) -> str:
    """A conversation that begins before the update and the power cut."""
    created: dict[str, Any] = box.call("POST", "/conversations", {})
    return str(created["id"])


def _ended(events: list[tuple[str, Any]]) -> str:
    return events[-1][0]


def _said(box: BootedBox, conversation: str) -> list[str]:
    messages = box.call("GET", f"/conversations/{conversation}/messages")["items"]
    return [message["content"] for message in messages if message["role"] == "user"]


def test_it_finds_the_next_version_and_says_what_changes(
    box: BootedBox, published: Future[None]
) -> None:
    published.result(INSTALL_SECONDS)
    wait_until_proven(box)
    before = installed_version(box)
    found = box.call("POST", "/updates/check")
    assert (found["state"], found["reason"]) == ("available", None), found
    assert found["available"]["version"] == NEXT
    assert found["available"]["notes"]["en"] == "Answers begin sooner."
    assert before != NEXT


def test_it_installs_while_a_chat_goes_on(box: BootedBox, conversation: str) -> None:
    box.call("POST", "/updates/install")
    wait_for_state(box, "downloading")
    answer = box.say(conversation, PASSAGE)["answer"]["id"]
    begun = box.follow(answer, until="delta")
    assert box.call("GET", "/updates")["state"] == "downloading"
    events = box.follow(answer)
    assert begun[-1][0] == "delta"
    assert _ended(events) == "done"
    assert "blue" in words_of(events)
    wait_for_state(box, "installed")


def test_it_fetched_little_more_than_what_changed(shelf: UpdateShelf) -> None:
    share = shelf.sent_bytes() / shelf.bundle_bytes()
    assert share <= LARGEST_SHARE, f"{shelf.sent_bytes()} of {shelf.bundle_bytes()} bytes"


def test_a_power_cut_in_mid_answer_loses_nothing_that_was_acknowledged(
    box: BootedBox, conversation: str
) -> None:
    """It comes when the box has switched to the update and is about to restart.

    What was not heard to the end is kept up to where it broke off, and says so; or whole, when its
    last word was on the way.
    """
    for text in ("Hello", "Thank you"):
        assert _ended(box.follow(box.say(conversation, text)["answer"]["id"])) == "done"
    with talking(box, conversation) as talker:
        assert talker.hears.wait(ANSWER_SECONDS)
        box.call("POST", "/updates/restart")
        box.emulator.kill()

    box.switch_on()
    box.find()
    box.wait_ready()
    box.sign_in()
    acknowledged = [PASSAGE, "Hello", "Thank you", *talker.sent[: len(talker.answers)]]
    assert _said(box, conversation)[: len(acknowledged)] == acknowledged
    assert set(_said(box, conversation)) <= {*acknowledged, *talker.sent}
    messages = box.call("GET", f"/conversations/{conversation}/messages")["items"]
    answers = {message["id"]: message["status"] for message in messages}
    for answer in talker.answers:
        ends = {"complete"} if answer in talker.heard else {"interrupted", "complete"}
        assert answers[answer] in ends, answer
    again = box.follow(box.say(conversation, AFTERWARDS)["answer"]["id"])
    assert _ended(again) == "done"
    assert "2846" in words_of(again)


def test_it_has_started_into_the_update_and_the_gate_keeps_it(box: BootedBox) -> None:
    verdict = wait_for_verdict(box)
    assert (verdict["version"], verdict["result"], verdict["reason"]) == (NEXT, "good", None)
    assert installed_version(box) == NEXT
    wait_until_proven(box)


def test_the_version_before_waits_in_the_other_slot(box: BootedBox) -> None:
    assert wait_for_way_back(box) != NEXT
    status = box.call("GET", "/updates")
    assert (status["state"], status["reason"]) == ("good", None)


def test_nothing_failed_and_no_unit_waited_for_another_in_a_circle(
    box: BootedBox, tmp_path: Path
) -> None:
    box.switch_off()
    assert complaints(box.disk, tmp_path) == []
    assert "[FAILED]" not in box.emulator.serial
