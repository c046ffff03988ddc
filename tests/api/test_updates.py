"""Updates over HTTP: an emulated machine with two boot slots behind the real service."""

import asyncio
import dataclasses
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from allerac.updates.reasons import REASONS
from tests.unit.updates.household import NOON, offer_of, open_household
from tests.unit.updates.household import Household as UpdatedBox

from .conftest import Household

pytestmark = pytest.mark.asyncio(loop_scope="module")

UPDATES = "/api/v1/updates"


@pytest_asyncio.fixture(loop_scope="module")
async def machine(household: Household, tmp_path: Path) -> AsyncIterator[UpdatedBox]:
    """A box of version 1.0.0 that knows of nothing yet, and does nothing by itself."""
    before = household.app.state.services
    async with open_household(tmp_path, offer_of("1.1.0", notes={"en": "Quicker."})) as machine:
        household.app.state.services = dataclasses.replace(before, updates=machine.service())
        yield machine
        household.app.state.services = before


async def ask(household: Household, method: str, path: str, body: Any = None) -> dict[str, Any]:
    """Ask as the owner; return the answer, which is a good one."""
    response = await household.clients["owner"].request(method, UPDATES + path, json=body)
    assert response.is_success, response.text
    answer: dict[str, Any] = response.json()
    return answer


async def wait_for(household: Household, state: str) -> dict[str, Any]:
    """Ask until the update is there."""
    async with asyncio.timeout(20):
        while (told := await ask(household, "GET", ""))["state"] != state:  # noqa: ASYNC110 - the page has no event to wait on
            await asyncio.sleep(0.01)
    return told


@asynccontextmanager
async def listening(household: Household) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
    """Follow the events as the owner; httpx's transport would wait for an end that never comes."""
    client = household.clients["owner"]
    request = client.build_request("GET", f"{UPDATES}/events")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": request.url.path,
        "raw_path": request.url.raw_path,
        "query_string": b"",
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "client": ("127.0.0.1", 1),
        "server": ("localhost", 80),
    }
    arrived: asyncio.Queue[bytes] = asyncio.Queue()
    left = asyncio.Event()

    async def receive() -> dict[str, Any]:
        await left.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        await arrived.put(message.get("body", b""))

    async def told() -> AsyncIterator[dict[str, Any]]:
        while True:
            for line in (await arrived.get()).decode().splitlines():
                if line.startswith("data: "):
                    yield json.loads(line.removeprefix("data: "))

    request_task = asyncio.create_task(household.app(scope, receive, send))
    try:
        async with asyncio.timeout(20):
            yield told()
    finally:
        left.set()
        await asyncio.wait([request_task], timeout=20)


async def test_a_click_leads_to_the_restart_step_by_step(
    household: Household, machine: UpdatedBox
) -> None:
    assert (await ask(household, "GET", ""))["state"] == "idle"
    found = await ask(household, "POST", "/check")
    assert found["available"]["version"] == "1.1.0"
    assert found["available"]["notes"] == {"en": "Quicker."}
    machine.machine.may_finish.clear()
    await ask(household, "POST", "/install")
    fetching = await wait_for(household, "downloading")
    assert fetching["installed"] == "1.0.0"
    machine.machine.may_finish.set()
    await wait_for(household, "installed")
    assert (await ask(household, "POST", "/restart"))["state"] == "rebooting"
    assert machine.machine.restarts == 1
    [past] = (await ask(household, "GET", "/history"))["items"]
    assert (past["version"], past["from_version"], past["result"]) == ("1.1.0", "1.0.0", None)


async def test_a_second_installation_is_refused_while_the_first_goes_on(
    household: Household, machine: UpdatedBox
) -> None:
    await ask(household, "POST", "/check")
    machine.machine.may_finish.clear()
    await ask(household, "POST", "/install")
    again = await household.clients["owner"].post(f"{UPDATES}/install")
    assert again.status_code == 409
    sys.stdout.write(f"two installations at once: {again.json()['error']['message']}\n")
    machine.machine.may_finish.set()
    await wait_for(household, "installed")


async def test_why_a_version_does_not_come_by_itself_is_told(
    household: Household, machine: UpdatedBox
) -> None:
    machine.wares.offers = [offer_of("1.1.0", percentage=0)]
    told = await ask(household, "GET", "")
    assert told["withheld"] == {"version": "1.1.0", "why": "not_its_turn", "percentage": 0}
    assert (await ask(household, "POST", "/check"))["available"]["version"] == "1.1.0"
    machine.wares.offers = [offer_of("1.1.0")]
    assert (await ask(household, "GET", ""))["withheld"] is None


async def test_whoever_follows_sees_the_present_and_every_change(
    household: Household, machine: UpdatedBox
) -> None:
    async with listening(household) as told:
        assert (await anext(told))["state"] == "idle"
        await ask(household, "POST", "/check")
        states = [(await anext(told))["state"]]
        while states[-1] != "available":
            states.append((await anext(told))["state"])
    assert set(states) <= {"checking", "available"}


async def test_a_check_that_fails_says_why_at_once_and_later(
    household: Household, machine: UpdatedBox
) -> None:
    machine.wares.problem = "server_unreachable"
    response = await household.clients["owner"].post(f"{UPDATES}/check")
    error = response.json()["error"]
    words = REASONS["server_unreachable"]
    assert response.status_code == 502
    assert (error["code"], error["message"], error["hint"]) == (
        "update_failed",
        words.message,
        words.hint,
    )
    told = await ask(household, "GET", "")
    assert told["reason"] == {
        "name": "server_unreachable",
        "message": words.message,
        "hint": words.hint,
    }


async def test_what_the_gate_found_at_fault_is_told_in_its_words(
    household: Household, machine: UpdatedBox
) -> None:
    await machine.store.change({"state": "rolled_back", "reason": "too_slow"}, NOON)
    told = await ask(household, "GET", "")
    assert told["reason"] == {
        "name": "too_slow",
        "message": "The model answered much more slowly in the new version.",
        "hint": "The version before runs again.",
    }


async def test_a_reason_of_another_version_is_told_without_its_words(
    household: Household, machine: UpdatedBox
) -> None:
    await machine.store.change({"reason": "from_the_future"}, NOON)
    told = await ask(household, "GET", "")
    assert told["reason"]["name"] == "from_the_future"
    assert told["reason"]["message"] == "The update did not work."


@pytest.mark.parametrize("path", ["/install", "/restart"])
async def test_a_step_that_is_not_due_is_refused(
    household: Household, machine: UpdatedBox, path: str
) -> None:
    response = await household.clients["owner"].post(UPDATES + path)
    assert response.status_code == 409
    assert machine.machine.restarts == 0


async def test_without_a_version_before_there_is_no_way_back(
    household: Household, machine: UpdatedBox
) -> None:
    response = await household.clients["owner"].post(f"{UPDATES}/go-back")
    assert response.json()["error"]["message"] == REASONS["no_other_version"].message
    assert machine.machine.restarts == 0


async def test_wishes_are_kept_and_taken_back(household: Household, machine: UpdatedBox) -> None:
    until = (machine.clock() + timedelta(days=7)).isoformat()
    assert (await ask(household, "POST", "/postpone", {"until": until}))["postponed_until"]
    assert (await ask(household, "POST", "/pin", {"version": "1.0.0"}))["pinned_version"] == "1.0.0"
    chosen = await ask(household, "PATCH", "/settings", {"channel": "beta"})
    assert chosen["channel"] == "beta"
    assert (await ask(household, "POST", "/postpone", {"until": None}))["postponed_until"] is None
    assert (await ask(household, "POST", "/pin", {"version": None}))["pinned_version"] is None


@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("POST", "/postpone", {"until": "2027-11-21T10:00:00Z"}, "postponed_until"),
        ("POST", "/postpone", {"until": "2026-11-21T10:00:00"}, "until"),
        ("POST", "/pin", {"version": "newest"}, "version"),
        ("PATCH", "/settings", {"hour": 24}, "hour"),
        ("PATCH", "/settings", {"channel": "nightly"}, "channel"),
        ("POST", "/usb", {"name": ""}, "name"),
    ],
)
async def test_a_wish_that_makes_no_sense_is_refused_with_its_field(
    household: Household,
    machine: UpdatedBox,
    method: str,
    path: str,
    body: dict[str, Any],
    field: str,
) -> None:
    response = await household.clients["owner"].request(method, UPDATES + path, json=body)
    assert response.status_code == 422, response.text
    assert field in response.json()["error"]["fields"]


async def test_files_on_drives_are_listed_and_others_are_not_opened(
    household: Household, machine: UpdatedBox
) -> None:
    drive = machine.folder / "media" / "stick"
    drive.mkdir(parents=True)
    (drive / "allerac.raucb").write_bytes(b"1234")
    items = (await ask(household, "GET", "/usb"))["items"]
    assert items == [{"name": "stick/allerac.raucb", "size_bytes": 4}]
    response = await household.clients["owner"].post(
        f"{UPDATES}/usb", json={"name": "../allerac.sqlite"}
    )
    assert response.status_code == 404


async def test_the_quiet_hour_of_the_wizard_can_be_changed(household: Household) -> None:
    assert (await ask(household, "GET", ""))["hour"] == 3
    changed = await ask(household, "PATCH", "/settings", {"hour": 5, "automatic": False})
    assert (changed["hour"], changed["automatic"]) == (5, False)
    untouched = await ask(household, "PATCH", "/settings", {})
    assert (untouched["hour"], untouched["automatic"]) == (5, False)


async def test_a_machine_with_one_system_says_that_it_has_no_updates(
    household: Household,
) -> None:
    assert (await ask(household, "GET", ""))["supported"] is False
    response = await household.clients["owner"].post(f"{UPDATES}/check")
    assert response.status_code == 502
