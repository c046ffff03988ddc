"""The image of the `vm` tier, from power to an answer and to the next version, without a way out.

The tests are one story and run in order: each goes on where the one before stopped. A start takes
minutes in the emulator, so there are two: the first, and one of the update after a power cut.
"""

import re
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.image.booted_box import BootedBox, flashed_unit
from tests.image.conftest import BuiltImage
from tests.image.offline_disk import (
    UNIT_FAILED,
    check_ext4,
    folder_of,
    journal,
    partition,
)
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

PASSAGE = "Ana's bicycle is blue. Ben's bicycle is red.\n\nWhat colour is Ana's bicycle?"
AFTERWARDS = "The garage code is 2846.\n\nWhat is the garage code?"
OPEN_PORTS = {80, 443}
OTHER_PORTS = {22, 53, 111, 631, 3000, 5355, 5432, 6379, 8000, 8080, 8443, 9090, 9100}
USED_MEMORY_BYTES = 600e6
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
    """A unit that has just been given power for the first time, and the server it asks."""
    folder = tmp_path_factory.mktemp("unit")
    with flashed_unit(vm_image.file(".img"), folder) as unit, served(shelf, unit.lan):
        unit.switch_on()
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


def _words(events: list[tuple[str, Any]]) -> str:
    return "".join(data["text"] for kind, data in events if kind == "delta")


def _ended(events: list[tuple[str, Any]]) -> str:
    return events[-1][0]


def _said(box: BootedBox, conversation: str) -> list[str]:
    messages = box.call("GET", f"/conversations/{conversation}/messages")["items"]
    return [message["content"] for message in messages if message["role"] == "user"]


def test_it_announces_itself_on_a_network_without_dhcp_and_shows_the_wizard(
    box: BootedBox, published: Future[None]
) -> None:
    found = box.find()
    assert re.fullmatch(r"allerac(-[a-z0-9]{4})?\.local", found["host"])
    assert box.lan.ask("resolve", host="allerac.local", milliseconds=20_000) == [box.address]
    page = box.page("/", host="allerac.local")
    assert page["status"] == 200, page
    assert "<title>Allerac" in page["body"]
    loaded = re.findall(r'(?:src|href)="(/assets/[^"]+)"', page["body"])
    assert {path.rpartition(".")[2] for path in loaded} == {"js", "css"}
    for path in loaded:
        assert box.page(path, host="allerac.local")["status"] == 200, path
    status = box.call("GET", "/status")
    assert status["claimed"] is False


def test_the_boot_loader_has_nothing_to_complain_of(box: BootedBox) -> None:
    told, kernel, _ = box.emulator.serial.partition("Linux version")
    assert kernel
    assert "error" not in told


def test_only_the_ports_of_the_front_door_answer(box: BootedBox) -> None:
    ports = sorted(OPEN_PORTS | OTHER_PORTS)
    answered = box.lan.ask("knock", address=box.address, ports=ports, seconds=5)
    assert set(answered) == OPEN_PORTS


def test_a_stranger_without_the_code_gets_no_further(box: BootedBox) -> None:
    refused = box.request("POST", "/api/v1/onboarding/claim", json={"code": "0000-0000-0000"})
    assert 400 <= refused["status"] < 500
    assert "code" in str(refused["body"]).lower()


def test_the_code_on_the_console_claims_the_box(box: BootedBox) -> None:
    box.claim(box.claim_code())
    assert box.call("GET", "/status")["claimed"] is True
    assert box.request("GET", "/api/v1/onboarding")["status"] == 410
    box.call("PATCH", "/updates/settings", {"automatic": False})  # it would begin by itself


def test_the_box_has_its_own_name_and_keeps_the_one_that_nobody_else_has(box: BootedBox) -> None:
    names = box.wait_for_name("kitchen.local")
    assert len(names) == 2
    for name in names:
        assert box.lan.ask("resolve", host=name, milliseconds=20_000) == [box.address], name


def test_its_own_certificate_is_vouched_for_by_its_own_authority(box: BootedBox) -> None:
    authority = box.request("GET", "/ca.crt")
    assert authority["status"] == 200, authority
    page = box.lan.ask(
        "trusting", url=f"https://{box.address}/api/v1/status", authority=authority["body"]
    )
    assert page["status"] == 200, page


def test_a_question_is_answered_by_the_model_on_the_box(box: BootedBox) -> None:
    box.wait_ready()
    conversation = box.call("POST", "/conversations", {})["id"]
    events = box.follow(box.say(conversation, PASSAGE)["answer"]["id"])
    assert _ended(events) == "done"
    assert "blue" in _words(events)


def test_memory_after_the_start_is_modest(box: BootedBox) -> None:
    memory = box.call("GET", "/box")["memory"]
    assert memory["total_bytes"] - memory["available_bytes"] <= USED_MEMORY_BYTES


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
    assert "blue" in _words(events)
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
    assert "2846" in _words(again)


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
    data = partition(box.disk, "data", tmp_path / "data.img")
    assert check_ext4(data).returncode == 0
    entries = journal(folder_of(data, "/overlay/var/upper/log/journal", tmp_path / "log"))
    failed = [entry for entry in entries if entry.get("MESSAGE_ID") == UNIT_FAILED]
    assert failed == []
    circles = [entry for entry in entries if "ordering cycle" in str(entry.get("MESSAGE"))]
    assert circles == []
    assert "[FAILED]" not in box.emulator.serial
