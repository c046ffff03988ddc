"""The household: links that work once, keys for programs only, an owner who stays."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from .fresh_box import FreshBox, fresh_box, invite, is_signed_in, join, sign_in


@pytest_asyncio.fixture
async def box(tmp_path: Path) -> AsyncIterator[FreshBox]:
    async with fresh_box(tmp_path) as opened:
        yield opened


async def _joined(
    box: FreshBox, owner: httpx.AsyncClient, name: str, role: str
) -> tuple[httpx.AsyncClient, str]:
    """Return the browser of a new person and the path of that person."""
    browser = box.browser()
    response = await join(browser, await invite(owner, role), name)
    assert response.status_code == 201, response.text
    return browser, f"/api/v1/people/{response.json()['person']['id']}"


async def _names(owner: httpx.AsyncClient) -> list[str]:
    return [person["name"] for person in (await owner.get("/api/v1/people")).json()["items"]]


def _assert_gone(response: httpx.Response) -> None:
    error = response.json()["error"]
    assert (response.status_code, error["code"]) == (410, "gone")
    assert "invitation does not work" in error["message"]
    assert "Ask for a new one" in error["hint"]


async def test_invitation_works_once(box: FreshBox) -> None:
    owner = await box.owner()
    path = await invite(owner, "guest")
    offer = (await box.browser().get(path)).json()
    assert (offer["household_name"], offer["role"]) == ("Kitchen", "guest")
    accepted = await join(box.browser(), path, "Ben")
    assert accepted.json()["person"]["role"] == "guest"
    _assert_gone(await join(box.browser(), path, "Eve"))
    _assert_gone(await box.browser().get(path))
    assert (await owner.get("/api/v1/invitations")).json()["items"] == []


async def test_invitation_ends_after_three_days(box: FreshBox) -> None:
    owner = await box.owner()
    path = await invite(owner)
    box.clock.turn(hours=72, seconds=-1)
    assert (await box.browser().get(path)).status_code == 200
    box.clock.turn(seconds=1)
    _assert_gone(await box.browser().get(path))
    _assert_gone(await join(box.browser(), path, "Ben"))
    assert (await owner.get("/api/v1/invitations")).json()["items"] == []


async def test_invitation_that_was_taken_back_does_not_work(box: FreshBox) -> None:
    owner = await box.owner()
    path = await invite(owner)
    offer = (await owner.get("/api/v1/invitations")).json()["items"][0]["id"]
    assert (await owner.delete(f"/api/v1/invitations/{offer}")).status_code == 204
    _assert_gone(await join(box.browser(), path, "Ben"))
    assert (await owner.delete(f"/api/v1/invitations/{offer}")).status_code == 404


async def test_of_ten_who_race_for_an_invitation_one_gets_in_and_the_others_learn_why(
    box: FreshBox,
) -> None:
    owner = await box.owner()
    path = await invite(owner)
    browsers = [box.browser() for _ in range(10)]
    answers = await asyncio.gather(
        *(join(browser, path, f"Person {place}") for place, browser in enumerate(browsers))
    )
    assert sorted(answer.status_code for answer in answers) == [201] + [410] * 9
    for browser, answer in zip(browsers, answers, strict=True):
        assert await is_signed_in(browser) == (answer.status_code == 201)
        if answer.status_code == 410:
            _assert_gone(answer)
    assert len(await _names(owner)) == 2


async def test_a_name_that_is_taken_or_a_bad_password_does_not_use_the_invitation_up(
    box: FreshBox,
) -> None:
    owner = await box.owner()
    path = await invite(owner)
    taken = await join(box.browser(), path, " ANA ")
    assert taken.status_code == 409
    assert taken.json()["error"]["fields"] == {"name": "already taken"}
    weak = await box.browser().post(path, json={"name": "Ben", "password": "password"})
    assert weak.status_code == 422
    assert (await join(box.browser(), path, "Ben")).status_code == 201


@pytest.mark.parametrize("change", [{"disabled": True}, {"role": "member"}])
async def test_an_admin_who_may_not_invite_any_more_leaves_no_way_back_in(
    box: FreshBox, change: dict[str, object]
) -> None:
    owner = await box.owner()
    admin, person = await _joined(box, owner, "Ben", "admin")
    theirs, own = await invite(admin), await invite(owner)
    assert (await owner.patch(person, json=change)).status_code == 200
    _assert_gone(await join(box.browser(), theirs, "Ben again"))
    assert (await join(box.browser(), own, "Cleo")).status_code == 201


async def _key(browser: httpx.AsyncClient) -> dict[str, str]:
    made = await browser.post("/api/v1/api-keys", json={"name": "program"})
    assert made.status_code == 201, made.text
    body: dict[str, str] = made.json()
    return body


async def _models(box: FreshBox, key: str) -> httpx.Response:
    return await box.browser(Authorization=f"Bearer {key}").get("/v1/models")


async def test_key_is_shown_once_and_opens_the_api_for_programs(box: FreshBox) -> None:
    owner = await box.owner()
    made = await _key(owner)
    assert made["key"].startswith("alr_")
    assert made["key"].startswith(made["prefix"])
    listed = await owner.get("/api/v1/api-keys")
    assert made["key"] not in listed.text
    assert listed.json()["items"][0]["last_used_at"] is None
    assert (await _models(box, made["key"])).status_code == 200
    used = (await owner.get("/api/v1/api-keys")).json()["items"][0]
    assert used["last_used_at"] is not None


async def test_no_secret_is_on_the_disk_in_a_form_that_opens_anything(box: FreshBox) -> None:
    owner = await box.owner()
    path = await invite(owner)
    recovery = (await join(ben := box.browser(), await invite(owner), "Ben")).json()
    secrets = [
        (await _key(owner))["key"],
        owner.cookies["allerac_session"],
        ben.cookies["allerac_session"],
        path.rsplit("/", 1)[1],
        recovery["recovery_code"],
        recovery["recovery_code"].replace("-", ""),
        "three quiet lanterns",
        box.claim_code,
        box.claim_code.replace("-", ""),
    ]
    kept = b"".join(file.read_bytes() for file in box.folder.rglob("*") if file.is_file())
    assert b"program" in kept
    assert [secret for secret in secrets if secret.encode() in kept] == []


async def test_key_opens_no_page_of_its_person(box: FreshBox) -> None:
    owner = await box.owner()
    key = (await _key(owner))["key"]
    for program in (
        box.browser(Authorization=f"Bearer {key}"),
        box.browser(Cookie=f"allerac_session={key}"),
    ):
        for path in ("session", "sessions", "api-keys", "people", "conversations", "box"):
            assert (await program.get(f"/api/v1/{path}")).status_code == 401
        assert (await program.post("/api/v1/invitations", json={})).status_code == 401
        assert (await program.post("/api/v1/api-keys", json={"name": "x"})).status_code == 401
    assert (await owner.get("/v1/models")).status_code == 401


async def test_key_that_was_revoked_is_refused_at_once(box: FreshBox) -> None:
    owner = await box.owner()
    made, other = await _key(owner), await _key(owner)
    assert (await owner.delete(f"/api/v1/api-keys/{made['id']}")).status_code == 204
    refused = await _models(box, made["key"])
    assert refused.status_code == 401
    assert refused.json()["error"]["code"] == "invalid_api_key"
    assert (await owner.delete(f"/api/v1/api-keys/{made['id']}")).status_code == 404
    assert (await _models(box, other["key"])).status_code == 200


@pytest.mark.parametrize("key", ["", "alr_", "alr_" + "A" * 43, "\u00e9", "a" * 5000])
async def test_what_is_no_key_is_refused(box: FreshBox, key: str) -> None:
    await box.owner()
    header = {b"Authorization": f"Bearer {key}".encode("latin-1")}
    response = await box.browser().get("/v1/models", headers=header)
    assert response.status_code == 401


async def test_keys_of_others_can_be_neither_seen_nor_revoked(box: FreshBox) -> None:
    owner = await box.owner()
    ben, _ = await _joined(box, owner, "Ben", "member")
    made = await _key(ben)
    assert made["id"] not in (await owner.get("/api/v1/api-keys")).text
    assert (await owner.delete(f"/api/v1/api-keys/{made['id']}")).status_code == 404
    assert (await _models(box, made["key"])).status_code == 200


@pytest.mark.parametrize("act", ["disabled", "removed"])
async def test_who_leaves_takes_sessions_and_keys_along(box: FreshBox, act: str) -> None:
    owner = await box.owner()
    ben, person = await _joined(box, owner, "Ben", "member")
    phone = await box.sign_in("Ben")
    key = (await _key(ben))["key"]
    left = (
        await owner.delete(person)
        if act == "removed"
        else await owner.patch(person, json={"disabled": True})
    )
    assert left.is_success
    assert not await is_signed_in(ben)
    assert not await is_signed_in(phone)
    assert (await _models(box, key)).status_code == 401
    assert (await sign_in(box.browser(), "Ben")).status_code == 401
    if act == "removed":
        assert await _names(owner) == ["Ana"]
        assert (await owner.delete(person)).status_code == 404
        await _joined(box, owner, "Ben", "member")
    else:
        await owner.patch(person, json={"disabled": False})
        assert not await is_signed_in(ben)
        assert (await sign_in(box.browser(), "Ben")).status_code == 201


async def test_the_owner_stays_whoever_asks(box: FreshBox) -> None:
    owner = await box.owner()
    admin, _ = await _joined(box, owner, "Ben", "admin")
    me = (await owner.get("/api/v1/session")).json()["person"]
    person = f"/api/v1/people/{me['id']}"
    changes: list[dict[str, object]] = [
        {"role": "admin"}, {"role": "guest"}, {"disabled": True}, {"role": "owner"},
    ]  # fmt: skip
    for browser in (owner, admin):
        refused = await browser.delete(person)
        assert refused.status_code == 403
        assert refused.json()["error"]["message"] == "The owner stays the owner."
        for change in changes:
            answer = await browser.patch(person, json=change)
            assert answer.status_code == (422 if change == {"role": "owner"} else 403)
    assert (await owner.get("/api/v1/session")).json()["person"] == me


async def test_admins_decide_about_members_and_guests_only(box: FreshBox) -> None:
    owner = await box.owner()
    admin, own = await _joined(box, owner, "Ben", "admin")
    _, other_admin = await _joined(box, owner, "Cleo", "admin")
    member_browser, member = await _joined(box, owner, "Dora", "member")
    for path in (own, other_admin):
        assert (await admin.patch(path, json={"role": "member"})).status_code == 403
        assert (await admin.delete(path)).status_code == 403
    assert (await admin.patch(member, json={"role": "admin"})).status_code == 403
    assert (await admin.post("/api/v1/invitations", json={"role": "admin"})).status_code == 403
    assert (await member_browser.patch(member, json={"role": "admin"})).status_code == 403
    assert (await admin.patch(member, json={"role": "guest"})).status_code == 200
    assert (await admin.delete(member)).status_code == 204
    assert (await owner.delete(other_admin)).status_code == 204


async def test_two_people_cannot_have_one_name_however_it_is_written(box: FreshBox) -> None:
    owner = await box.owner()
    ben, _ = await _joined(box, owner, "Ben", "member")
    for name in ("ana", "\uff21na", "  AN\uff21 "):
        taken = await ben.patch("/api/v1/me", json={"name": name})
        assert taken.status_code == 409
        assert taken.json()["error"]["fields"]["name"] == "already taken"
    for name in ("", "   ", "\u200bAna", "a" * 65):
        assert (await ben.patch("/api/v1/me", json={"name": name})).status_code == 422
    assert (await ben.patch("/api/v1/me", json={"name": "BEN"})).json()["name"] == "BEN"
