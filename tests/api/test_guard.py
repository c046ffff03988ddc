"""What every request passes: our own names only, our own pages only, JSON only, not too much."""

import pytest

from .conftest import Household
from .test_authorisation import ROWS, _filled

pytestmark = pytest.mark.asyncio(loop_scope="module")

BAD_HOSTS = [
    "evil.test", "allerac.local.evil.test", "allerac.local.", "localhost.", "localhost.evil.test",
    "evil.test:80", "localhost:", "localhost:x", "localhost:80:80", "localhost:999999",
    "user@localhost", "localhost@evil.test", "http://localhost/", "localhost/", "", " ",
    "8.8.8.8", "0", "2130706433", "0x7f000001", "127.1", "[::ffff:8.8.8.8]", "[::1",
    "::1]", "[::1]x", "localhost,evil.test", "l\u043ecalhost",
    "xn--lcalhost-xuf.local", "allerac", "*.local", "169.254.169.254",
]  # fmt: skip
STATE_CHANGING = [row for row in ROWS if not row.startswith("GET ")]


@pytest.mark.parametrize("row", ROWS)
async def test_no_route_answers_to_a_foreign_host(household: Household, row: str) -> None:
    method, _, path = row.partition(" ")
    answers = set()
    for host in BAD_HOSTS:
        response = await household.clients["owner"].request(
            method, _filled(path, {}), headers={b"Host": host.encode()}
        )
        answers.add((response.status_code, response.json()["error"]["code"]))
    assert answers == {(421, "misdirected_request")}


@pytest.mark.parametrize("row", STATE_CHANGING)
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.test"},
        {"Origin": "null"},
        {"Origin": "http://localhost:81"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
    ids=lambda headers: str(headers),
)
async def test_no_state_changes_from_another_site(
    household: Household, row: str, headers: dict[str, str]
) -> None:
    method, _, path = row.partition(" ")
    response = await household.clients["owner"].request(
        method, _filled(path, {}), json={}, headers=headers
    )
    assert response.status_code == 403, response.text


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
async def test_forms_of_other_pages_are_not_read(household: Household, kind: str) -> None:
    response = await household.clients["owner"].post(
        "/api/v1/conversations", content=b"{}", headers={"Content-Type": kind}
    )
    assert response.status_code == 422


@pytest.mark.parametrize("path", ["/api/v1/status", "/api/v1/box", "/none", "/v1/models"])
async def test_every_answer_carries_the_headers_that_protect_it(
    household: Household, path: str
) -> None:
    response = await household.clients["anonymous"].get(path)
    assert "default-src 'none'" in response.headers["content-security-policy"]
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["referrer-policy"] == "no-referrer"
    assert response.headers["x-dns-prefetch-control"] == "off"
    assert "access-control-allow-origin" not in response.headers
    assert "server" not in response.headers


@pytest.mark.parametrize(("scheme", "policy"), [("http", None), ("https", "same-origin")])
async def test_other_windows_are_kept_apart_where_browsers_heed_it(
    household: Household, scheme: str, policy: str | None
) -> None:
    client = household.clients["anonymous"]
    response = await client.get(f"{scheme}://localhost/api/v1/status")
    assert response.headers.get("cross-origin-opener-policy") == policy


async def test_ten_million_characters_are_refused_and_nothing_is_kept(
    household: Household,
) -> None:
    client = household.clients["member"]
    conversation = household.ids["conversation_id"]
    path = f"/api/v1/conversations/{conversation}/messages"
    before = (await client.get(path)).json()["items"]
    body = {"content": "a" * 10_000_000, "client_id": "huge", "parent_id": None}
    response = await client.post(path, json=body)
    assert response.status_code == 413
    assert response.json()["error"]["hint"]
    assert (await client.get(path)).json()["items"] == before


@pytest.mark.parametrize("content", ["", "   ", "\n"])
async def test_empty_message_is_refused_with_its_field(household: Household, content: str) -> None:
    path = f"/api/v1/conversations/{household.ids['conversation_id']}/messages"
    body = {"content": content, "client_id": f"empty{len(content)}", "parent_id": None}
    response = await household.clients["member"].post(path, json=body)
    assert response.status_code == 422
    assert "content" in response.json()["error"]["fields"]


async def test_unknown_fields_are_refused(household: Household) -> None:
    response = await household.clients["member"].patch("/api/v1/me", json={"role": "owner"})
    assert response.status_code == 422
    assert "role" in response.json()["error"]["fields"]
