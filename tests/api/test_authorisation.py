"""The matrix route x principal: every route has a row, every cell is really requested."""

from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
import yaml
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from allerac.api.auth import ACCESS
from allerac.app import create_app
from allerac.settings import Settings

from .conftest import Household

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROWS: dict[str, str] = yaml.safe_load(Path(__file__).with_name("authorisation.yaml").read_text())

MAY: dict[str, set[str]] = {
    "anyone": {"anonymous", "guest", "member", "admin", "owner", "disabled", "program"},
    "signed_in": {"guest", "member", "admin", "owner"},
    "member": {"member", "admin", "owner"},
    "administrator": {"admin", "owner"},
    "owner": {"owner"},
    "program": {"program"},
}
PRINCIPALS = sorted(MAY["anyone"])
NOT_REQUESTED = {
    "DELETE /api/v1/session",
    "DELETE /api/v1/sessions",
}
"""They end the very sessions that the matrix needs; `test_accounts` asks them."""


def _access(dependant: Dependant) -> set[str]:
    found = {ACCESS[dependant.call]} if dependant.call in ACCESS else set()
    for below in dependant.dependencies:
        found |= _access(below)
    return found


STRENGTH = ["anyone", "signed_in", "member", "administrator", "owner", "program"]


def _routes(routes: list[Any], prefix: str = "") -> dict[str, APIRoute]:
    found = {}
    for route in routes:
        if isinstance(route, APIRoute):
            for method in route.methods or ():
                found[f"{method} {prefix}{route.path}"] = route
        elif hasattr(route, "original_router"):
            found |= _routes(route.original_router.routes, prefix + route.include_context.prefix)
    return found


def _all_routes(tmp_path: Path) -> dict[str, APIRoute]:
    settings = Settings(data_dir=tmp_path, announce=False)
    return _routes(create_app(settings, port=80).routes)


async def test_every_route_has_its_row_and_declares_what_the_row_says(tmp_path: Path) -> None:
    routes = _all_routes(tmp_path)
    declared = {}
    for name, route in routes.items():
        access = _access(route.dependant)
        declared[name] = max(access, key=STRENGTH.index) if access else "nothing"
    assert declared == ROWS


def _filled(path: str, ids: dict[str, str]) -> str:
    for name, value in ids.items():
        path = path.replace("{" + name + "}", value)
    for name in ("person_id", "session_id", "invitation_id", "token", "model_id"):
        path = path.replace("{" + name + "}", "none")
    return path.replace("{model_id:path}", "none").replace("{path:path}", "healthz")


@pytest_asyncio.fixture(scope="module", loop_scope="module", autouse=True)
async def belongings(household: Household) -> None:
    """Give the member a private document, an assistant and a memory."""
    member = household.clients["member"]
    document = await member.post(
        "/api/v1/knowledge/files",
        params={"name": "diary.txt"},
        content=b"Zinnias bloom behind the quiet shed.",
        headers={"Content-Type": "application/octet-stream"},
    )
    assistant = await member.post("/api/v1/assistants", json={"name": "Smith"})
    memory = await member.post("/api/v1/memories", json={"content": "Zinnias want sun."})
    made = {"file_id": document, "assistant_id": assistant, "memory_id": memory}
    household.ids |= {name: response.json()["id"] for name, response in made.items()}


@pytest.mark.parametrize("principal", PRINCIPALS)
async def test_each_principal_passes_exactly_the_routes_of_its_row(
    household: Household, principal: str
) -> None:
    client = household.clients[principal]
    wrong = []
    for row, access in ROWS.items():
        method, _, path = row.partition(" ")
        if row in NOT_REQUESTED or "/events" in path:
            continue
        ids = dict.fromkeys(household.ids, "none")
        response = await client.request(
            method, _filled(path, ids), json=None if method in {"GET", "DELETE"} else {}
        )
        refused = response.status_code in {401, 403}
        public_401 = access == "anyone" and response.status_code in {401, 403, 410, 404, 422}
        if refused == (principal in MAY[access]) and not public_401:
            wrong.append(f"{row}: {response.status_code}")
    assert wrong == []


OBJECTS = (
    *("conversation_id", "message_id", "generation_id", "picture_id"),
    *("file_id", "assistant_id", "memory_id", "key_id"),
)
OWNED = [row for row in ROWS if any(f"{{{name}}}" in row for name in OBJECTS)]
BODIES: dict[str, dict[str, Any]] = {
    "messages": {"content": "x", "client_id": "theirs", "parent_id": None},
    "rating": {"rating": "up"},
    "duplicate": {"name": "Mine"},
}


async def _asked(household: Household, row: str, principal: str) -> httpx.Response:
    """Ask for an object of the member's."""
    method, _, path = row.partition(" ")
    more: dict[str, Any] = {}
    if method == "PUT" and "{file_id}" in path:
        octets = {"Content-Type": "application/octet-stream"}
        more = {"content": b"x", "params": {"name": "theirs.txt"}, "headers": octets}
    elif method not in {"GET", "DELETE"}:
        more = {"json": BODIES.get(path.rsplit("/", 1)[1], {})}
    path = _filled(path, household.ids).replace("{page}", "1")
    return await household.clients[principal].request(method, path, **more)


async def test_there_is_a_route_for_each_kind_of_object(household: Household) -> None:
    assert [name for name in OBJECTS if not any(f"{{{name}}}" in row for row in OWNED)] == []
    assert set(OBJECTS) <= household.ids.keys()


@pytest.mark.parametrize("row", OWNED)
@pytest.mark.parametrize("principal", ["owner", "admin", "guest"])
async def test_what_belongs_to_another_person_does_not_exist(
    household: Household, row: str, principal: str
) -> None:
    response = await _asked(household, row, principal)
    if principal not in MAY[ROWS[row]]:
        assert response.status_code == 403, response.text
        return
    assert response.status_code == 404, response.text
    assert response.json()["error"]["code"] == "not_found"


async def test_it_is_still_there_for_whom_it_belongs_to(household: Household) -> None:
    member = household.clients["member"]
    for path, name in (
        ("assistants", "assistant_id"),
        ("memories", "memory_id"),
        ("knowledge/files", "file_id"),
        ("conversations", "conversation_id"),
        ("api-keys", "key_id"),
    ):
        items = (await member.get(f"/api/v1/{path}")).json()["items"]
        assert household.ids[name] in [item["id"] for item in items], path
