"""An update as a household sees it: found, installed during a chat, switched to, proven, kept.

The tests are one story and run in order: each goes on where the one before stopped.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.image.booted_box import BootedBox, flashed_unit
from tests.image.conftest import BuiltImage
from tests.image.successor import Predecessor, with_more_in_one_file
from tests.image.update_shelf import UpdateShelf, served
from tests.image.updating import (
    installed_version,
    wait_for_state,
    wait_for_verdict,
    wait_for_way_back,
    wait_until_proven,
)

NEXT = "0.1.1"
PASSAGE = "Ana's bicycle is blue. Ben's bicycle is red.\n\nWhat colour is Ana's bicycle?"
LARGEST_SHARE = 0.10
"""Of a bundle, fetched when one file of the runtime changed."""


@pytest.fixture(scope="module")
def shelf(vm_image: BuiltImage, tmp_path_factory: pytest.TempPathFactory) -> UpdateShelf:
    """The next version of the image, in which one file of the runtime is another, on offer."""
    folder = tmp_path_factory.mktemp("next")
    before = Predecessor.of(vm_image, folder / "before")
    shelf = UpdateShelf(folder)
    shelf.publish(before.successor(NEXT, folder / "after", with_more_in_one_file))
    return shelf


@pytest.fixture(scope="module")
def box(
    vm_image: BuiltImage,
    shelf: UpdateShelf,
    may_emulate_networks: None,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[BootedBox]:
    """A unit of the version before that has just been given power, and the server it asks."""
    folder = tmp_path_factory.mktemp("unit")
    with flashed_unit(vm_image.file(".img"), folder) as unit, served(shelf, unit.lan):
        unit.switch_on()
        unit.find()
        unit.claim(unit.claim_code())
        unit.wait_ready()
        unit.call("PATCH", "/updates/settings", {"automatic": False})  # it would begin by itself
        wait_until_proven(unit)
        yield unit


@pytest.fixture(scope="module")
def conversation(box: BootedBox) -> str:
    """A conversation that began before the update."""
    created: dict[str, Any] = box.call("POST", "/conversations", {})
    return str(created["id"])


def test_it_finds_the_next_version_and_says_what_changes(box: BootedBox) -> None:
    before = installed_version(box)
    found = box.call("POST", "/updates/check")
    assert (found["state"], found["reason"]) == ("available", None), found
    assert found["available"]["version"] == NEXT
    assert found["available"]["notes"]["en"] == "Answers begin sooner."
    assert before != NEXT


def test_it_installs_while_a_chat_goes_on(
    box: BootedBox, shelf: UpdateShelf, conversation: str
) -> None:
    box.call("POST", "/updates/install")
    wait_for_state(box, "downloading")
    answer = box.say(conversation, PASSAGE)["answer"]["id"]
    begun = box.follow(answer, until="delta")
    assert box.call("GET", "/updates")["state"] == "downloading"
    events = box.follow(answer)
    assert begun[-1][0] == "delta"
    assert events[-1][0] == "done"
    assert "blue" in "".join(data["text"] for kind, data in events if kind == "delta")
    wait_for_state(box, "installed")


def test_it_fetched_little_more_than_what_changed(shelf: UpdateShelf) -> None:
    share = shelf.sent_bytes() / shelf.bundle_bytes()
    assert share <= LARGEST_SHARE, f"{shelf.sent_bytes()} of {shelf.bundle_bytes()} bytes"


def test_it_restarts_into_it_and_the_gate_keeps_it(box: BootedBox, conversation: str) -> None:
    box.call("POST", "/updates/restart")
    verdict = wait_for_verdict(box)
    assert (verdict["version"], verdict["result"], verdict["reason"]) == (NEXT, "good", None)
    assert installed_version(box) == NEXT


def test_what_was_said_before_is_still_there(box: BootedBox, conversation: str) -> None:
    messages = box.call("GET", f"/conversations/{conversation}/messages")["items"]
    assert [message["role"] for message in messages] == ["user", "assistant"]
    assert messages[0]["content"] == PASSAGE


def test_the_version_before_waits_in_the_other_slot(box: BootedBox) -> None:
    assert wait_for_way_back(box) != NEXT
    status = box.call("GET", "/updates")
    assert (status["state"], status["reason"]) == ("good", None)
