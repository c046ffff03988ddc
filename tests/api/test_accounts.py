"""Signing in and out: guesses are slow, proofs count once, sessions end everywhere."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from allerac.accounts import Passwords
from allerac.engine.protocol import Delta

from .conftest import PASSWORD
from .fresh_box import FreshBox, fresh_box, invite, is_signed_in, join, sign_in

WRONG = "not the password"
ELSEWHERE = "192.168.1.99"
COOKIE = "allerac_session"


class Hold:
    """A verification that has been done and whose answer a test keeps back."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.released = asyncio.Event()


class WatchedPasswords(Passwords):
    """Real hashing that notes what it costs and can be held before it answers."""

    def __init__(self) -> None:
        super().__init__(memory_kib=64, passes=1)
        self.work: list[str] = []
        self._holds: list[Hold] = []

    def hold_next(self) -> Hold:
        """Keep back the answer of the next verification that is not held yet."""
        self._holds.append(Hold())
        return self._holds[-1]

    async def verify(self, encoded: str | None, password: str) -> bool:
        """Verify, then wait if a test holds the answer."""
        hold = self._holds.pop(0) if self._holds else None
        right = await super().verify(encoded, password)
        if hold is not None:
            hold.reached.set()
            await hold.released.wait()
        return right

    def _verify(self, encoded: str, password: str) -> bool:
        self.work.append(encoded.rsplit("$", 2)[0])
        return super()._verify(encoded, password)


@pytest.fixture
def passwords() -> WatchedPasswords:
    return WatchedPasswords()


@pytest_asyncio.fixture
async def box(tmp_path: Path, passwords: WatchedPasswords) -> AsyncIterator[FreshBox]:
    async with fresh_box(tmp_path, passwords=passwords) as opened:
        yield opened


async def _guess(browser: httpx.AsyncClient, name: str, times: int) -> list[int]:
    return [(await sign_in(browser, name, WRONG)).status_code for _ in range(times)]


def _assert_waits(response: httpx.Response, seconds: int, words: str) -> None:
    assert response.status_code == 429, response.text
    assert response.headers["retry-after"] == str(seconds)
    assert response.json()["error"]["code"] == "too_many_attempts"
    assert words in response.json()["error"]["hint"]


async def test_eleventh_guess_at_an_account_waits_wherever_it_comes_from(box: FreshBox) -> None:
    await box.owner()
    assert await _guess(box.browser(ELSEWHERE), "Ana", 10) == [401] * 10
    _assert_waits(await sign_in(box.browser(), "Ana"), 300, "Wait 5 min")
    box.clock.turn(seconds=299)
    _assert_waits(await sign_in(box.browser(), "ANA "), 1, "Wait 1 s")
    box.clock.turn(seconds=1)
    assert (await sign_in(box.browser(), "Ana")).status_code == 201


async def test_fifty_first_guess_from_an_address_waits_whatever_the_name(box: FreshBox) -> None:
    await box.owner()
    guesser = box.browser(ELSEWHERE)
    names = [f"name {number}" for number in range(50)]
    assert {(await sign_in(guesser, name, WRONG)).status_code for name in names} == {401}
    _assert_waits(await sign_in(guesser, "Ana"), 300, "Wait 5 min")
    box.clock.turn(seconds=300)
    assert (await sign_in(guesser, "Ana")).status_code == 201


async def test_an_address_that_is_locked_out_cannot_lock_an_account(box: FreshBox) -> None:
    await box.owner()
    guesser = box.browser(ELSEWHERE)
    for number in range(50):
        await sign_in(guesser, f"name {number}", WRONG)
    assert await _guess(guesser, "Ana", 20) == [429] * 20
    assert (await sign_in(box.browser(), "Ana")).status_code == 201


@pytest.mark.parametrize("name", ["Ana", "ß" * 64], ids=["short", "long"])
async def test_signing_in_forgives_the_guesses_before_it(box: FreshBox, name: str) -> None:
    owner = await box.owner()
    assert (await owner.patch("/api/v1/me", json={"name": name})).status_code == 200
    for _ in range(3):
        assert await _guess(box.browser(), name, 9) == [401] * 9
        await box.sign_in(name)


async def test_guesses_at_the_recovery_code_and_the_present_password_count_too(
    box: FreshBox,
) -> None:
    owner = await box.owner()
    guess = {"current_password": WRONG, "new_password": "four loud lanterns"}
    for _ in range(5):
        assert (await owner.put("/api/v1/me/password", json=guess)).status_code == 401
    body = {"name": "Ana", "recovery_code": "AAAA-AAAA", "new_password": "four loud lanterns"}
    for _ in range(5):
        response = await box.browser().post("/api/v1/session/recovery", json=body)
        assert response.status_code == 401
    assert (await sign_in(box.browser())).status_code == 429


async def test_unknown_disabled_and_wrong_look_alike_and_cost_the_same(
    box: FreshBox, passwords: WatchedPasswords
) -> None:
    owner = await box.owner()
    joined = (await join(box.browser(), await invite(owner), "Ben")).json()
    path = f"/api/v1/people/{joined['person']['id']}"
    assert (await owner.patch(path, json={"disabled": True})).status_code == 200
    passwords.work.clear()
    stranger = box.browser()
    answers = [
        await sign_in(stranger, "Ana", WRONG),
        await sign_in(stranger, "Nobody", WRONG),
        await sign_in(stranger, "Ben", PASSWORD),
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.text for answer in answers}) == 1
    assert len({tuple(sorted(answer.headers.items())) for answer in answers}) == 1
    assert len(passwords.work) == 3
    assert len({cost.split("$")[3] for cost in passwords.work}) == 1


async def _recovery_code(owner: httpx.AsyncClient) -> str:
    made = await owner.post("/api/v1/me/recovery-code", json={"password": PASSWORD})
    assert made.status_code == 201, made.text
    return str(made.json()["recovery_code"])


async def _recover(browser: httpx.AsyncClient, code: str, password: str) -> httpx.Response:
    body = {"name": "ana", "recovery_code": code, "new_password": password}
    return await browser.post("/api/v1/session/recovery", json=body)


async def test_recovery_code_works_once_and_signs_out_everywhere(box: FreshBox) -> None:
    owner = await box.owner()
    phone = await box.sign_in("Ana")
    code = await _recovery_code(owner)
    typed = code.lower().replace("-", " ")
    recovered = await _recover(new := box.browser(), typed, "four loud lanterns")
    assert recovered.status_code == 201, recovered.text
    assert await is_signed_in(new)
    assert not await is_signed_in(owner)
    assert not await is_signed_in(phone)
    assert (await sign_in(box.browser(), "Ana", PASSWORD)).status_code == 401
    again = await _recover(box.browser(), code, "five odd lanterns")
    assert again.status_code == 401
    assert again.json()["error"]["hint"]
    next_code = recovered.json()["recovery_code"]
    assert (await _recover(box.browser(), next_code, "five odd lanterns")).status_code == 201


async def test_two_who_type_one_recovery_code_at_once_do_not_both_get_in(
    box: FreshBox, passwords: WatchedPasswords
) -> None:
    code = await _recovery_code(await box.owner())
    holds = [passwords.hold_next(), passwords.hold_next()]
    tries = [
        asyncio.create_task(_recover(box.browser(), code, f"{word} loud lanterns"))
        for word in ("four", "five")
    ]
    for hold in holds:
        await hold.reached.wait()
    for hold in holds:
        hold.released.set()
    assert sorted(answer.status_code for answer in await asyncio.gather(*tries)) == [201, 401]


async def test_a_password_replaced_while_it_is_checked_opens_nothing(
    box: FreshBox, passwords: WatchedPasswords
) -> None:
    owner = await box.owner()
    hold = passwords.hold_next()
    signing_in = asyncio.create_task(sign_in(box.browser(ELSEWHERE)))
    await hold.reached.wait()
    body = {"current_password": PASSWORD, "new_password": "four loud lanterns"}
    assert (await owner.put("/api/v1/me/password", json=body)).status_code == 204
    hold.released.set()
    assert (await signing_in).status_code == 401
    sessions = (await owner.get("/api/v1/sessions")).json()["items"]
    assert [session["current"] for session in sessions] == [True]


async def test_somebody_removed_while_the_password_is_checked_does_not_get_in(
    box: FreshBox, passwords: WatchedPasswords
) -> None:
    owner = await box.owner()
    joined = await join(box.browser(), await invite(owner), "Ben")
    hold = passwords.hold_next()
    signing_in = asyncio.create_task(sign_in(browser := box.browser(ELSEWHERE), "Ben"))
    await hold.reached.wait()
    removed = await owner.delete(f"/api/v1/people/{joined.json()['person']['id']}")
    assert removed.status_code == 204
    hold.released.set()
    refused = await signing_in
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "wrong_credentials")
    assert COOKIE not in browser.cookies


Act = Callable[[httpx.AsyncClient, httpx.AsyncClient, str], Awaitable[httpx.Response]]


async def _everywhere(
    owner: httpx.AsyncClient, laptop: httpx.AsyncClient, _: str
) -> httpx.Response:
    return await laptop.delete("/api/v1/sessions")


async def _that_one(owner: httpx.AsyncClient, laptop: httpx.AsyncClient, _: str) -> httpx.Response:
    items = (await laptop.get("/api/v1/sessions")).json()["items"]
    phone = next(item["id"] for item in items if not item["current"])
    return await laptop.delete(f"/api/v1/sessions/{phone}")


async def _password(owner: httpx.AsyncClient, laptop: httpx.AsyncClient, _: str) -> httpx.Response:
    body = {"current_password": PASSWORD, "new_password": "four loud lanterns"}
    return await laptop.put("/api/v1/me/password", json=body)


async def _disabled(
    owner: httpx.AsyncClient, laptop: httpx.AsyncClient, person: str
) -> httpx.Response:
    return await owner.patch(f"/api/v1/people/{person}", json={"disabled": True})


async def _removed(
    owner: httpx.AsyncClient, laptop: httpx.AsyncClient, person: str
) -> httpx.Response:
    return await owner.delete(f"/api/v1/people/{person}")


@pytest.mark.parametrize("act", [_everywhere, _that_one, _password, _disabled, _removed])
async def test_a_live_answer_stops_arriving_within_a_second(box: FreshBox, act: Act) -> None:
    owner = await box.owner()
    phone = box.browser()
    person = (await join(phone, await invite(owner), "Ben")).json()["person"]["id"]
    laptop = await box.sign_in("Ben")
    conversation = (await phone.post("/api/v1/conversations", json={})).json()["id"]
    box.engine.plays(Delta("Once", 1), asyncio.Event())
    body = {"content": "Tell me", "client_id": "one", "parent_id": None}
    sent = await phone.post(f"/api/v1/conversations/{conversation}/messages", json=body)
    answer = sent.json()["answer"]["id"]
    stream = asyncio.create_task(phone.get(f"/api/v1/generations/{answer}/events"))
    response = await act(owner, laptop, person)
    assert response.is_success, response.text
    async with asyncio.timeout(1):
        heard = await stream
    assert "done" not in heard.text
    assert not await is_signed_in(phone)


async def test_the_browser_that_signs_out_the_others_stays(box: FreshBox) -> None:
    owner = await box.owner()
    phone = await box.sign_in("Ana")
    assert (await phone.delete("/api/v1/sessions")).status_code == 204
    assert await is_signed_in(phone)
    assert not await is_signed_in(owner)
    assert (await phone.delete("/api/v1/session")).status_code == 204
    assert COOKIE not in phone.cookies
    assert not await is_signed_in(phone)


async def test_sessions_of_others_cannot_be_seen_or_ended(box: FreshBox) -> None:
    owner = await box.owner()
    ben = box.browser()
    await join(ben, await invite(owner), "Ben")
    theirs = (await ben.get("/api/v1/sessions")).json()["items"][0]["id"]
    assert theirs not in (await owner.get("/api/v1/sessions")).text
    assert (await owner.delete(f"/api/v1/sessions/{theirs}")).status_code == 404
    assert await is_signed_in(ben)


async def test_signing_in_ends_the_session_that_the_browser_had(box: FreshBox) -> None:
    browser = await box.owner()
    before = browser.cookies[COOKIE]
    assert (await sign_in(browser, "Ana", WRONG)).status_code == 401
    assert await is_signed_in(browser)
    assert (await sign_in(browser)).status_code == 201
    assert browser.cookies[COOKIE] != before
    assert not await is_signed_in(box.browser(Cookie=f"{COOKIE}={before}"))
    assert len((await browser.get("/api/v1/sessions")).json()["items"]) == 1


async def test_a_planted_cookie_never_becomes_a_session(box: FreshBox) -> None:
    await box.owner()
    planted = "A" * 43
    victim = box.browser(Cookie=f"{COOKIE}={planted}")
    response = await sign_in(victim)
    assert response.status_code == 201
    assert response.cookies[COOKIE] != planted
    assert not await is_signed_in(box.browser(Cookie=f"{COOKIE}={planted}"))


async def test_a_session_in_use_lasts_ninety_days_and_an_idle_one_thirty(box: FreshBox) -> None:
    used = await box.owner()
    idle = await box.sign_in("Ana")
    for _ in range(3):
        box.clock.turn(days=29)
        renewed = await used.get("/api/v1/session")
        assert renewed.status_code == 200
        assert f"{COOKIE}={used.cookies[COOKIE]}" in renewed.headers["set-cookie"]
    assert not await is_signed_in(idle)
    box.clock.turn(days=4)
    assert not await is_signed_in(used)


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("lantern", "at least 8 characters"),
        ("Passw0rd!", "first passwords that are tried"),
        ("lindqvist1", "made of a name"),
        ("AnaLindqvist7", "made of a name"),
        ("zzzzzzzzzzzz", "repeats itself"),
        ("rtyuiopdfghj", "follows the keyboard"),
    ],
)
async def test_a_password_that_would_be_guessed_is_refused_with_its_reason(
    box: FreshBox, password: str, reason: str
) -> None:
    owner = await box.owner()
    code = await _recovery_code(owner)
    await owner.patch("/api/v1/me", json={"name": "Ana Lindqvist"})
    change = {"current_password": PASSWORD, "new_password": password}
    recovery = {"name": "Ana Lindqvist", "recovery_code": code, "new_password": password}
    newcomer = {"name": "Ana Lindqvist", "password": password, "language": "en"}
    answers = {
        "new_password": await owner.put("/api/v1/me/password", json=change),
        " new_password": await box.browser().post("/api/v1/session/recovery", json=recovery),
        "password": await box.browser().post(await invite(owner), json=newcomer),
    }
    for field, answer in answers.items():
        error = answer.json()["error"]
        assert answer.status_code == 422, answer.text
        assert reason in error["fields"][field.strip()]
        assert error["hint"] == error["fields"][field.strip()]
    asked = {"name": "Ana Lindqvist", "password": password}
    strength = (await box.browser().post("/api/v1/password-strength", json=asked)).json()
    assert not strength["ok"]
    assert reason in strength["reason"]


async def test_what_is_not_text_is_refused_rather_than_hashed(box: FreshBox) -> None:
    await box.owner()
    response = await box.browser().post(
        "/api/v1/session",
        content=b'{"name": "Ana", "password": "\\ud800 quiet lanterns"}',
        headers={"Content-Type": "application/json"},
    )
    assert response.status_code in {401, 422}, response.text


async def test_one_password_typed_on_two_keyboards_is_one_password(box: FreshBox) -> None:
    owner = await box.owner()
    body = {"current_password": PASSWORD, "new_password": "ein gru\u0308ner Apfel"}
    assert (await owner.put("/api/v1/me/password", json=body)).status_code == 204
    assert (await sign_in(box.browser(), "Ana", "ein gr\u00fcner Apfel")).status_code == 201


@pytest.mark.parametrize("path", ["/api/v1/session", "/api/v1/sessions"])
async def test_only_who_is_signed_in_can_sign_out(box: FreshBox, path: str) -> None:
    owner = await box.owner()
    made = await owner.post("/api/v1/api-keys", json={"name": "program"})
    program = box.browser(Authorization=f"Bearer {made.json()['key']}")
    assert (await program.delete(path)).status_code == 401
    assert (await box.browser().delete(path)).status_code == 401
    assert await is_signed_in(owner)
