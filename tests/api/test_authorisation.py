"""The matrix route x principal: every route has a row, every cell is really requested."""

from pathlib import Path
from typing import Any

import pytest
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


OWNED = [
    row
    for row in ROWS
    if any(
        f"{{{name}}}" in row
        for name in ("conversation_id", "message_id", "generation_id", "picture_id")
    )
]


@pytest.mark.parametrize("row", OWNED)
@pytest.mark.parametrize("principal", ["owner", "admin", "guest"])
async def test_another_persons_conversation_does_not_exist(
    household: Household, row: str, principal: str
) -> None:
    method, _, path = row.partition(" ")
    bodies: dict[str, dict[str, Any]] = {
        "messages": {"content": "x", "client_id": "theirs", "parent_id": None},
        "rating": {"rating": "up"},
    }
    body = bodies.get(path.rsplit("/", 1)[1], {})
    response = await household.clients[principal].request(
        method,
        _filled(path, household.ids),
        json=None if method in {"GET", "DELETE"} else body,
    )
    assert response.status_code == 404, response.text
    assert response.json()["error"]["code"] == "not_found"
