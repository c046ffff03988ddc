"""The wizard over HTTP: guesses end, any device goes on, one owner, then it is gone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import func, select

from allerac.storage.tables import person

from .conftest import PASSWORD
from .fresh_box import Clock, FreshBox, fresh_box, is_signed_in, sign_in
from .test_authorisation import ROWS

BASE = "/api/v1/onboarding"
WRONG = "WRNG-CDEX"
STEPS: list[tuple[str, str, str, dict[str, Any] | None]] = [
    ("language", "PUT", "/language", {"language": "de"}),
    ("claim", "POST", "/claim", {"code": "ABCD-EFGH"}),
    ("owner", "PUT", "/owner", {"name": "Ana", "password": PASSWORD}),
    ("saved", "PUT", "/recovery-saved", None),
    ("box", "PUT", "/box", {"name": "Kitchen", "time_zone": "Europe/Berlin"}),
    ("model", "PUT", "/model", {"model_id": "allerac-demo", "download": False}),
    ("privacy", "PUT", "/privacy", {"automatic_updates": False, "update_hour": 4}),
    ("finish", "POST", "/finish", None),
]
NAMES = [name for name, *_ in STEPS]


@pytest_asyncio.fixture
async def box(tmp_path: Path) -> AsyncIterator[FreshBox]:
    async with fresh_box(tmp_path) as opened:
        yield opened


async def _take(browser: httpx.AsyncClient, *names: str) -> None:
    for name, method, path, body in STEPS:
        if name in names:
            response = await browser.request(method, BASE + path, json=body)
            assert response.is_success, f"{name}: {response.text}"


async def _type(browser: httpx.AsyncClient, code: str) -> httpx.Response:
    return await browser.post(f"{BASE}/claim", json={"code": code})


async def _state(browser: httpx.AsyncClient) -> dict[str, Any]:
    response = await browser.get(BASE)
    assert response.status_code == 200, response.text
    state: dict[str, Any] = response.json()
    return state


async def test_wrong_code_says_how_many_tries_are_left_then_how_long_to_wait(
    box: FreshBox,
) -> None:
    browser = box.browser()
    left = []
    for _ in range(5):
        refused = await _type(browser, WRONG)
        assert refused.status_code == 401
        assert "label" in refused.json()["error"]["hint"]
        left.append(refused.json()["error"]["fields"]["tries_left"])
    assert left == ["4", "3", "2", "1", "0"]
    box.clock.turn(seconds=20)
    locked = await _type(browser, box.claim_code)
    assert locked.status_code == 429
    assert locked.headers["retry-after"] == "40"
    assert "Wait 40 s" in locked.json()["error"]["hint"]
    assert (await _state(browser))["code_verified"] is False
    box.clock.turn(seconds=40)
    assert (await _type(browser, box.claim_code)).status_code == 200


async def test_one_device_that_hammers_does_not_lock_the_wizard_for_the_others(
    box: FreshBox,
) -> None:
    hammer = box.browser("192.168.1.66")
    for _ in range(80):
        await _type(hammer, WRONG)
    assert (await _type(box.browser(), box.claim_code)).status_code == 200


async def test_fifty_wrong_codes_lock_the_wizard_until_the_box_is_started_again(
    tmp_path: Path,
) -> None:
    async with fresh_box(tmp_path) as box:
        for number in range(50):
            refused = await _type(box.browser(f"192.168.1.{number}"), WRONG)
            assert refused.status_code == 401
            assert int(refused.json()["error"]["fields"]["tries_left"]) <= 49 - number
        box.clock.turn(days=30)
        locked = await _type(box.browser(), box.claim_code)
        assert locked.status_code == 429
        assert "locked" in locked.json()["error"]["message"]
        assert "Unplug the box" in locked.json()["error"]["hint"]
        assert int(locked.headers["retry-after"]) > 0
    async with fresh_box(tmp_path) as box:
        assert (await _type(box.browser(), box.claim_code)).status_code == 200


async def test_restart_does_not_forgive_the_guesses_of_this_minute(tmp_path: Path) -> None:
    clock = Clock()
    async with fresh_box(tmp_path, clock=clock) as box:
        for _ in range(5):
            await _type(box.browser(), WRONG)
    async with fresh_box(tmp_path, clock=clock) as box:
        assert (await _type(box.browser(), box.claim_code)).status_code == 429


async def test_right_code_forgives_the_tries_before_it(box: FreshBox) -> None:
    browser = box.browser()
    for _ in range(3):
        for _ in range(4):
            assert (await _type(browser, WRONG)).status_code == 401
        assert (await _type(browser, box.claim_code)).status_code == 200


@pytest.mark.parametrize(
    "typed", ["ABCDEFGH", "abcd-efgh", " abcd efgh ", "ABCD\u2013EFGH", "a-b-c-d-e-f-g-h"]
)
async def test_code_is_taken_however_it_is_typed(box: FreshBox, typed: str) -> None:
    assert (await _type(box.browser(), typed)).status_code == 200


@pytest.mark.parametrize("typed", ["ABCDEFG", "ABCDEFGHJ", "HGFEDCBA", "-", "\U0001f511"])
async def test_what_only_resembles_the_code_is_refused(box: FreshBox, typed: str) -> None:
    assert (await _type(box.browser(), typed)).status_code == 401


@pytest.mark.parametrize("body", [{}, {"code": ""}, {"code": "A" * 33}, {"code": 12345678}])
async def test_what_is_no_code_names_its_field_and_costs_no_try(
    box: FreshBox, body: dict[str, Any]
) -> None:
    browser = box.browser()
    for _ in range(6):
        refused = await browser.post(f"{BASE}/claim", json=body)
        assert refused.status_code == 422
        assert "code" in refused.json()["error"]["fields"]
    assert (await _type(browser, box.claim_code)).status_code == 200


@pytest.mark.parametrize("row", [row for row in ROWS if "/onboarding/" in row])
async def test_without_the_code_nothing_but_the_language_can_be_set(
    box: FreshBox, row: str
) -> None:
    method, _, path = row.partition(" ")
    body = next((body for _, _, end, body in STEPS if path.endswith(end)), None)
    await _take(box.browser(), "language", "claim", "owner")
    for stranger in (box.browser(), box.browser(Cookie="allerac_setup=" + "A" * 43)):
        if path.endswith(("/language", "/claim")):
            continue
        refused = await stranger.request(method, path, json=body)
        assert refused.status_code == 403, refused.text
        assert "label" in refused.json()["error"]["hint"]


async def test_another_device_sees_nothing_of_the_owner_until_it_proves_the_code(
    box: FreshBox,
) -> None:
    phone, laptop = box.browser(), box.browser("192.168.1.11")
    await _take(phone, "language", "claim", "owner", "saved", "box")
    seen = await _state(laptop)
    assert (seen["step"], seen["language"], seen["code_verified"]) == ("claim", "de", False)
    assert {seen["owner_name"], seen["box_name"], seen["time_zone"]} == {None}
    assert seen["recovery_saved"] is False
    assert (await _type(laptop, box.claim_code)).status_code == 200
    seen = await _state(laptop)
    assert (seen["step"], seen["owner_name"], seen["box_name"]) == ("model", "Ana", "Kitchen")
    assert seen == await _state(phone)
    await _take(laptop, "model", "privacy", "finish")
    assert await is_signed_in(laptop)
    gone = await phone.get(BASE)
    assert gone.status_code == 410
    assert "Sign in" in gone.json()["error"]["hint"]


async def test_device_that_names_the_owner_anew_has_to_save_the_new_recovery_code(
    box: FreshBox,
) -> None:
    phone, laptop = box.browser(), box.browser("192.168.1.11")
    await _take(phone, "language", "claim", "owner", "saved", "box", "model", "privacy")
    await _take(laptop, "claim", "owner")
    refused = await phone.post(f"{BASE}/finish")
    assert refused.status_code == 409
    assert refused.json()["error"]["fields"] == {"step": "owner"}
    await _take(laptop, "saved", "finish")


@pytest.mark.parametrize("left_out", ["language", "owner", "saved", "box", "model", "privacy"])
async def test_finish_says_which_step_is_missing(box: FreshBox, left_out: str) -> None:
    browser = box.browser()
    without = {left_out, "saved"} if left_out == "owner" else {left_out}
    await _take(browser, *[name for name in NAMES[:-1] if name not in without])
    refused = await browser.post(f"{BASE}/finish")
    assert refused.status_code == 409
    step = "owner" if left_out == "saved" else left_out
    assert refused.json()["error"]["fields"] == {"step": step}
    assert (await _state(browser))["step"] == step
    assert (await sign_in(browser)).status_code == 401


async def test_recovery_code_cannot_be_saved_before_there_is_one(box: FreshBox) -> None:
    browser = box.browser()
    await _take(browser, "language", "claim")
    refused = await browser.put(f"{BASE}/recovery-saved")
    assert refused.status_code == 409
    assert refused.json()["error"]["hint"] == "Say first who you are."


async def test_of_all_who_finish_at_once_one_owns_the_box_and_the_others_learn_why(
    box: FreshBox,
) -> None:
    browsers = [box.browser(f"192.168.1.{place}") for place in range(10, 22)]
    await _take(browsers[0], *NAMES[:-1])
    for browser in browsers[1:]:
        await _take(browser, "claim")
    answers = await asyncio.gather(*(browser.post(f"{BASE}/finish") for browser in browsers))
    assert sum(answer.status_code == 201 for answer in answers) == 1
    for browser, answer in zip(browsers, answers, strict=True):
        assert await is_signed_in(browser) == (answer.status_code == 201)
        if answer.status_code != 201:
            error = answer.json()["error"]
            assert (answer.status_code, error["code"]) in {(409, "conflict"), (410, "gone")}
            assert "claimed" in error["message"] or "has its owner" in error["message"]
            assert "invitation" in error["hint"]
    owners = select(func.count()).select_from(person)
    assert await box.database.read(lambda connection: connection.scalar(owners)) == 1


@pytest.mark.parametrize("body", [None, {}, {"unknown": 1}], ids=["none", "empty", "wrong"])
async def test_every_route_of_the_wizard_is_gone_after_the_claim(
    box: FreshBox, body: dict[str, Any] | None
) -> None:
    owner = await box.owner()
    rows = [row for row in ROWS if "/onboarding" in row]
    assert len(rows) > len(STEPS)
    for browser in (owner, box.browser(), box.browser(Cookie="allerac_setup=" + "A" * 43)):
        for row in rows:
            method, _, path = row.partition(" ")
            gone = await browser.request(method, path, json=None if method == "GET" else body)
            assert gone.status_code == 410, f"{row}: {gone.text}"
            assert gone.json()["error"]["hint"]
    assert not (box.folder / "secrets" / "claim-code").exists()


@pytest.mark.parametrize("after", range(len(NAMES)), ids=NAMES)
async def test_wizard_goes_on_where_it_was_after_a_restart(tmp_path: Path, after: int) -> None:
    async with AsyncExitStack() as first:
        before = await first.enter_async_context(fresh_box(tmp_path))
        browser = before.browser()
        await _take(browser, *NAMES[: after + 1])
        cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
        state = await browser.get(BASE)
    async with fresh_box(tmp_path) as box:
        same = box.browser(Cookie=cookies) if cookies else box.browser()
        again = await same.get(BASE)
        assert (again.status_code, again.text) == (state.status_code, state.text)
        if NAMES[after] == "finish":
            assert await is_signed_in(same)
            return
        assert box.claim_code == before.claim_code
        rest = NAMES[after + 1 :]
        assert again.json()["step"] == {"saved": "owner", "finish": "ready"}.get(rest[0], rest[0])
        await _take(same, *rest)
        assert (await sign_in(box.browser())).status_code == 201
        owner = await box.sign_in("Ana")
        told = (await owner.get("/api/v1/box")).json()
        assert (told["name"], told["time_zone"]) == ("Kitchen", "Europe/Berlin")


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("name", "", "at least 1 character"),
        ("name", "   ", "1 to 40 characters"),
        ("name", "a" * 41, "at most 40 characters"),
        ("name", "Kit\u200bchen", "cannot be seen"),
        ("name", "Kit\u202echen", "cannot be seen"),
        ("name", None, "valid string"),
        ("time_zone", "", "at least 1 character"),
        ("time_zone", "Berlin", "IANA"),
        ("time_zone", "europe/berlin", "IANA"),
        ("time_zone", "../../../etc/passwd", "IANA"),
        ("time_zone", "A" * 65, "at most 64 characters"),
    ],
)
async def test_name_and_time_zone_of_the_box_are_refused_with_their_reason(
    box: FreshBox, field: str, value: str | None, reason: str
) -> None:
    browser = box.browser()
    await _take(browser, "language", "claim", "owner", "saved")
    body = {"name": "Kitchen", "time_zone": "Europe/Berlin", field: value}
    refused = await browser.put(f"{BASE}/box", json=body)
    assert refused.status_code == 422
    assert list(refused.json()["error"]["fields"]) == [field]
    assert reason in refused.json()["error"]["fields"][field]
    assert (await _state(browser))["box_name"] is None


@pytest.mark.parametrize(
    ("name", "host"),
    [("  Ana's   Kitchen ", "anas-kitchen.local"), ("K\u00fcche", "kuche.local")],
)
async def test_name_of_the_box_is_tidied_and_shown_as_it_will_be_found(
    box: FreshBox, name: str, host: str
) -> None:
    browser = box.browser()
    await _take(browser, "language", "claim", "owner", "saved")
    body = {"name": name, "time_zone": "Pacific/Auckland"}
    told = (await browser.put(f"{BASE}/box", json=body)).json()
    assert told["box_name"] == " ".join(name.split())
    assert told["hostname_preview"] == host


@pytest.mark.parametrize(
    ("path", "body", "status", "field"),
    [
        ("/language", {"language": "xx"}, 422, "language"),
        ("/owner", {"name": "Ana Lindqvist", "password": "lindqvist9"}, 422, "password"),
        ("/owner", {"name": "\u200b", "password": PASSWORD}, 422, "name"),
        ("/model", {"model_id": "no-such-model"}, 404, ""),
        ("/privacy", {"automatic_updates": True, "update_hour": 24}, 422, "update_hour"),
        ("/privacy", {"automatic_updates": True}, 422, "update_hour"),
    ],
)
async def test_each_step_names_the_field_that_is_wrong(
    box: FreshBox, path: str, body: dict[str, Any], status: int, field: str
) -> None:
    browser = box.browser()
    await _take(browser, "language", "claim")
    answer = await browser.put(BASE + path, json=body)
    assert answer.status_code == status, answer.text
    if field:
        assert field in answer.json()["error"]["fields"]


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_proof_of_the_code_is_kept_from_scripts_and_from_every_other_page(
    box: FreshBox, scheme: str
) -> None:
    browser = box.browser(scheme=scheme)
    said = (await _type(browser, box.claim_code)).headers["set-cookie"].lower()
    for attribute in ("httponly", "samesite=strict", f"path={BASE}"):
        assert attribute in said
    assert ("secure" in said) == (scheme == "https")
    await _take(browser, *[name for name in NAMES if name != "claim"])
    assert "allerac_setup" not in browser.cookies
    assert await is_signed_in(browser)
