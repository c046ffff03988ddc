"""The image of the `vm` tier, from power to an answer, on a network without a way out.

The tests are one story and run in order: each goes on where the one before stopped.
"""

import re
from collections.abc import Iterator
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
from tests.image.updating import wait_until_proven

PASSAGE = "Ana's bicycle is blue. Ben's bicycle is red.\n\nWhat colour is Ana's bicycle?"
AFTERWARDS = "The garage code is 2846.\n\nWhat is the garage code?"
OPEN_PORTS = {80, 443}
OTHER_PORTS = {22, 53, 111, 631, 3000, 5355, 5432, 6379, 8000, 8080, 8443, 9090, 9100}
USED_MEMORY_BYTES = 600e6


@pytest.fixture(scope="module")
def box(
    vm_image: BuiltImage, may_emulate_networks: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[BootedBox]:
    """A unit that has just been given power for the first time."""
    with flashed_unit(vm_image.file(".img"), tmp_path_factory.mktemp("unit")) as unit:
        unit.switch_on()
        yield unit


def _words(events: list[tuple[str, Any]]) -> str:
    return "".join(data["text"] for kind, data in events if kind == "delta")


def _ended(events: list[tuple[str, Any]]) -> str:
    return events[-1][0]


def test_it_announces_itself_on_a_network_without_dhcp_and_shows_the_wizard(
    box: BootedBox,
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


def test_a_power_cut_in_mid_answer_loses_nothing_that_was_acknowledged(
    box: BootedBox,
) -> None:
    conversation = box.call("POST", "/conversations", {})["id"]
    for text in ("Hello", "Thank you"):
        assert _ended(box.follow(box.say(conversation, text)["answer"]["id"])) == "done"
    last = box.say(conversation, PASSAGE)
    box.follow(last["answer"]["id"], until="delta")
    box.emulator.kill()

    box.switch_on()
    box.find()
    box.wait_ready()
    box.sign_in()
    messages = box.call("GET", f"/conversations/{conversation}/messages")["items"]
    said = [message["content"] for message in messages if message["role"] == "user"]
    assert said == ["Hello", "Thank you", PASSAGE]
    cut = next(message for message in messages if message["id"] == last["answer"]["id"])
    assert cut["status"] != "generating"
    again = box.follow(box.say(conversation, AFTERWARDS)["answer"]["id"])
    assert _ended(again) == "done"
    assert "2846" in _words(again)


def test_nothing_failed_and_no_unit_waited_for_another_in_a_circle(
    box: BootedBox, tmp_path: Path
) -> None:
    wait_until_proven(box)  # the power button would end the proof, which counts as a failed unit
    box.switch_off()
    data = partition(box.disk, "data", tmp_path / "data.img")
    assert check_ext4(data).returncode == 0
    entries = journal(folder_of(data, "/overlay/var/upper/log/journal", tmp_path / "log"))
    failed = [entry for entry in entries if entry.get("MESSAGE_ID") == UNIT_FAILED]
    assert failed == []
    circles = [entry for entry in entries if "ordering cycle" in str(entry.get("MESSAGE"))]
    assert circles == []
    assert "[FAILED]" not in box.emulator.serial
