"""What the browser keeps: a cookie by http, another by https, neither in the other's way."""

from collections.abc import AsyncIterator
from http.cookies import Morsel, SimpleCookie
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from .fresh_box import FreshBox, fresh_box, invite, is_signed_in, join, sign_in

BY_HTTP, BY_HTTPS = "allerac_session", "__Host-allerac_session"
SETUP_BY_HTTP, SETUP_BY_HTTPS = "allerac_setup", "__Secure-allerac_setup"
SCHEMES = [("http", BY_HTTP), ("https", BY_HTTPS)]
CLAIM = "/api/v1/onboarding/claim"


@pytest_asyncio.fixture
async def box(tmp_path: Path) -> AsyncIterator[FreshBox]:
    async with fresh_box(tmp_path) as opened:
        yield opened


def _set(response: httpx.Response) -> dict[str, "Morsel[str]"]:
    """Return the cookies that a response sets, by name."""
    found: SimpleCookie = SimpleCookie()
    for line in response.headers.get_list("set-cookie"):
        found.load(line)
    return dict(found)


def _sent(box: FreshBox, scheme: str, **cookies: str) -> httpx.AsyncClient:
    """Return a browser that came by `scheme` and sends these cookies, whoever set them."""
    header = "; ".join(f"{name}={value}" for name, value in cookies.items())
    return box.browser(scheme=scheme, Cookie=header)


async def _token(box: FreshBox, scheme: str) -> str:
    """Sign Ana in by `scheme`; returns the token that her browser keeps."""
    [cookie] = _set(await sign_in(box.browser(scheme=scheme))).values()
    return cookie.value


@pytest.mark.parametrize(("scheme", "name"), SCHEMES)
async def test_session_is_kept_from_scripts_and_other_sites(
    box: FreshBox, scheme: str, name: str
) -> None:
    await box.owner()
    [cookie] = _set(await sign_in(box.browser(scheme=scheme))).values()
    assert cookie.key == name
    assert len(cookie.value) == 43  # 256 bits
    assert cookie["httponly"]
    assert (cookie["samesite"], cookie["path"], cookie["domain"]) == ("lax", "/", "")
    assert bool(cookie["secure"]) == (scheme == "https")


async def test_one_browser_is_signed_in_by_http_and_by_https_at_once(box: FreshBox) -> None:
    await box.owner()
    kept = {BY_HTTP: await _token(box, "http"), BY_HTTPS: await _token(box, "https")}
    assert await is_signed_in(_sent(box, "https", **kept))
    assert await is_signed_in(_sent(box, "http", **{BY_HTTP: kept[BY_HTTP]}))


async def test_a_session_counts_only_for_the_scheme_that_set_it(box: FreshBox) -> None:
    await box.owner()
    plain, secure = await _token(box, "http"), await _token(box, "https")
    assert not await is_signed_in(_sent(box, "https", **{BY_HTTP: plain}))
    assert not await is_signed_in(_sent(box, "http", **{BY_HTTPS: secure}))


@pytest.mark.parametrize(("scheme", "name"), SCHEMES)
async def test_session_is_renewed_under_the_name_it_has(
    box: FreshBox, scheme: str, name: str
) -> None:
    await box.owner()
    token = await _token(box, scheme)
    renewed = _set(await _sent(box, scheme, **{name: token}).get("/api/v1/session"))
    assert {key: cookie.value for key, cookie in renewed.items()} == {name: token}


async def test_signing_in_again_ends_the_session_of_that_scheme_alone(box: FreshBox) -> None:
    await box.owner()
    plain, secure = await _token(box, "http"), await _token(box, "https")
    await sign_in(_sent(box, "https", **{BY_HTTP: plain, BY_HTTPS: secure}))
    assert not await is_signed_in(_sent(box, "https", **{BY_HTTPS: secure}))
    assert await is_signed_in(_sent(box, "http", **{BY_HTTP: plain}))


async def test_signing_out_by_https_leaves_nothing_in_the_browser(box: FreshBox) -> None:
    await box.owner()
    kept = {BY_HTTP: await _token(box, "http"), BY_HTTPS: await _token(box, "https")}
    left = await _sent(box, "https", **kept).delete("/api/v1/session")
    assert left.status_code == 204
    gone = _set(left)
    assert {name: (cookie.value, cookie["max-age"]) for name, cookie in gone.items()} == {
        BY_HTTP: ("", "0"),
        BY_HTTPS: ("", "0"),
    }
    assert gone[BY_HTTPS]["secure"]  # without it a browser does not touch a `__Host-` cookie
    assert not await is_signed_in(_sent(box, "http", **{BY_HTTP: kept[BY_HTTP]}))
    assert not await is_signed_in(_sent(box, "https", **{BY_HTTPS: kept[BY_HTTPS]}))


async def test_signing_out_by_http_ends_what_http_may_touch(box: FreshBox) -> None:
    await box.owner()
    plain, secure = await _token(box, "http"), await _token(box, "https")
    left = await _sent(box, "http", **{BY_HTTP: plain}).delete("/api/v1/session")
    assert left.status_code == 204
    assert list(_set(left)) == [BY_HTTP]
    assert not await is_signed_in(_sent(box, "http", **{BY_HTTP: plain}))
    assert await is_signed_in(_sent(box, "https", **{BY_HTTPS: secure}))


@pytest.mark.parametrize(("scheme", "name"), SCHEMES)
async def test_joining_and_recovering_set_the_cookie_of_the_scheme(
    box: FreshBox, scheme: str, name: str
) -> None:
    path = await invite(await box.owner())
    joined = await join(box.browser(scheme=scheme), path, "Ben")
    assert list(_set(joined)) == [name]
    body = {
        "name": "Ben",
        "recovery_code": joined.json()["recovery_code"],
        "new_password": "four loud lanterns",
    }
    recovered = await box.browser(scheme=scheme).post("/api/v1/session/recovery", json=body)
    assert recovered.status_code == 201
    assert list(_set(recovered)) == [name]


@pytest.mark.parametrize(("scheme", "name"), [("http", SETUP_BY_HTTP), ("https", SETUP_BY_HTTPS)])
async def test_wizard_begun_by_either_scheme_goes_on_by_the_other(
    box: FreshBox, scheme: str, name: str
) -> None:
    first = await box.browser(scheme=scheme).post(CLAIM, json={"code": box.claim_code})
    [proof] = _set(first).values()
    assert proof.key == name
    assert (proof["samesite"], proof["path"]) == ("strict", "/api/v1/onboarding")
    assert bool(proof["secure"]) == (scheme == "https")

    async def proven(by: str) -> Any:
        browser = _sent(box, by, **{name: proof.value})
        return (await browser.get("/api/v1/onboarding")).json()["code_verified"]

    other = "http" if scheme == "https" else "https"
    assert [await proven(scheme), await proven(other)] == [True, False]
    second = await box.browser(scheme=other).post(CLAIM, json={"code": box.claim_code})
    assert list(_set(second)) != [name]


async def test_document_tells_both_cookies_and_which_routes_need_one(box: FreshBox) -> None:
    document = box.app.openapi()
    schemes = document["components"]["securitySchemes"]
    assert {scheme["name"] for scheme in schemes.values()} == {BY_HTTP, BY_HTTPS}
    assert {scheme["in"] for scheme in schemes.values()} == {"cookie"}
    needs = {
        path: "security" in routes["get"]
        for path, routes in document["paths"].items()
        if "get" in routes
    }
    assert needs["/api/v1/session"]
    assert not needs["/api/v1/status"]
