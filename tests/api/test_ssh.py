"""SSH over HTTP: keys, what is refused, and who is told that it is open."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from allerac.accounts import Passwords
from allerac.app import create_app
from allerac.appliance.clock import since_boot
from allerac.settings import Settings
from tests.api.conftest import Household, claim
from tests.unit.ssh.public_keys import ED25519, RSA_2048, RSA_3072

pytestmark = pytest.mark.asyncio(loop_scope="module")

BASE = "/api/v1/box/ssh"


@pytest.fixture(scope="module")
def wishes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the wish to open it is left."""
    return tmp_path_factory.mktemp("wishes")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def owner(
    wishes: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[httpx.AsyncClient]:
    """The owner of a box whose SSH is Allerac's to open."""
    folder = tmp_path_factory.mktemp("ssh-box")
    settings = Settings(data_dir=folder / "data", announce=False, ssh_dir=wishes)
    app = create_app(settings, port=80, passwords=Passwords(memory_kib=64, passes=1))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://localhost") as client,
    ):
        await claim(client, app.state.services.onboarding.claim_code())
        yield client


async def test_keys_are_added_listed_and_removed(owner: httpx.AsyncClient) -> None:
    added = await owner.post(f"{BASE}/keys", json={"key": f"{ED25519} Ana's laptop"})
    assert added.status_code == 201, added.text
    told = (await owner.get(BASE)).json()
    assert (told["supported"], told["account"], told["open_until"]) == (True, "helper", None)
    (key,) = told["keys"]
    assert key == added.json()
    assert (key["comment"], key["kind"], key["added_by"]) == ("Ana's laptop", "Ed25519", "Ana")
    assert (await owner.post(f"{BASE}/keys", json={"key": ED25519})).status_code == 409
    assert (await owner.delete(f"{BASE}/keys/{key['id']}")).status_code == 204
    assert (await owner.delete(f"{BASE}/keys/{key['id']}")).status_code == 404
    told = (await owner.get(BASE)).json()
    assert told["keys"] == []
    assert [event["act"] for event in told["events"]] == ["key_removed", "key_added"]
    assert {event["person_name"] for event in told["events"]} == {"Ana"}


@pytest.mark.parametrize(
    "key",
    [RSA_2048, "", "x" * 9000, f'command="x" {RSA_3072}'],
    ids=["short", "empty", "long", "with options"],
)
async def test_a_key_that_cannot_be_used_is_refused_at_its_field(
    owner: httpx.AsyncClient, key: str
) -> None:
    refused = await owner.post(f"{BASE}/keys", json={"key": key})
    assert refused.status_code == 422
    assert set(refused.json()["error"]["fields"]) == {"key"}
    assert (await owner.get(BASE)).json()["keys"] == []


@pytest.mark.parametrize("body", [{}, {"hours": 0}, {"hours": 2}, {"hours": 168}, {"hours": "1"}])
async def test_it_opens_for_no_other_time(owner: httpx.AsyncClient, body: object) -> None:
    assert (await owner.post(f"{BASE}/open", json=body)).status_code == 422


async def test_without_a_key_nothing_is_opened(owner: httpx.AsyncClient) -> None:
    refused = await owner.post(f"{BASE}/open", json={"hours": 1})
    assert refused.status_code == 409
    assert refused.json()["error"]["message"] == "Nobody could sign in."
    assert (await owner.post(f"{BASE}/close")).json()["open_until"] is None


async def test_on_a_machine_of_its_own_it_is_not_allerac_that_opens_it(
    household: Household,
) -> None:
    client = household.clients["owner"]
    assert (await client.get(BASE)).json()["supported"] is False
    for path, body in (("keys", {"key": ED25519}), ("open", {"hours": 1}), ("close", None)):
        answer = await client.post(f"{BASE}/{path}", json=body)
        assert answer.status_code == 409, path
        assert "not Allerac's" in answer.json()["error"]["message"]


async def test_everybody_sees_until_when_it_is_open(owner: httpx.AsyncClient, wishes: Path) -> None:
    assert (await owner.get("/api/v1/box")).json()["ssh_open_until"] is None
    (wishes / "until").write_text(f"{since_boot() + 3600}\n")
    try:
        told = (await owner.get("/api/v1/box")).json()["ssh_open_until"]
        left = datetime.fromisoformat(told) - datetime.now(UTC)
        assert timedelta(minutes=50) < left <= timedelta(hours=1)
        assert (await owner.get(BASE)).json()["open_until"] is not None
    finally:
        (wishes / "until").unlink()
