"""Pictures over HTTP: sent with a message, shown to their person alone, gone with the person."""

from typing import Any

import pytest

from tests import pictures
from tests.api.conftest import Household
from tests.api.fresh_box import invite, join

pytestmark = pytest.mark.asyncio(loop_scope="module")

OCTETS = {"Content-Type": "application/octet-stream"}


async def _conversation(household: Household, who: str) -> str:
    made = await household.clients[who].post("/api/v1/conversations", json={})
    conversation_id: str = made.json()["id"]
    return conversation_id


async def _send(household: Household, who: str, kind: str) -> tuple[str, Any]:
    """Send a picture with a message; returns the conversation and the picture."""
    client, conversation = household.clients[who], await _conversation(household, who)
    base = f"/api/v1/conversations/{conversation}"
    added = await client.post(f"{base}/pictures/one", content=pictures.ALL[kind], headers=OCTETS)
    assert added.status_code == 201, added.text
    body = {"content": "Look at this", "client_id": "one", "parent_id": None}
    sent = await client.post(f"{base}/messages", json=body)
    listed = (await client.get(f"{base}/pictures")).json()["items"]
    assert [(each["id"], each["message_id"]) for each in listed] == [
        (added.json()["id"], sent.json()["message"]["id"])
    ]
    return conversation, listed[0]


@pytest.mark.parametrize("kind", pictures.ALL)
async def test_picture_is_shown_as_what_it_is_and_without_its_place(
    household: Household, kind: str
) -> None:
    _, picture = await _send(household, "guest", kind)
    shown = await household.clients["guest"].get(f"/api/v1/pictures/{picture['id']}")
    assert shown.status_code == 200
    assert shown.headers["Content-Type"] == f"image/{kind}"
    assert shown.headers["X-Content-Type-Options"] == "nosniff"
    assert shown.headers["Cache-Control"] == "no-store"
    assert len(shown.content) == picture["size_bytes"]
    assert pictures.PLACE not in shown.content


async def test_picture_of_another_person_is_not_there_not_even_for_the_owner(
    household: Household,
) -> None:
    conversation, picture = await _send(household, "member", "jpeg")
    for who in ("owner", "admin", "guest"):
        client = household.clients[who]
        assert (await client.get(f"/api/v1/pictures/{picture['id']}")).status_code == 404
        path = f"/api/v1/conversations/{conversation}/pictures"
        assert (await client.get(path)).status_code == 404
        refused = await client.post(f"{path}/two", content=pictures.png(), headers=OCTETS)
        assert refused.status_code == 404


async def test_what_only_says_that_it_is_a_picture_is_refused_in_words(
    household: Household,
) -> None:
    path = f"/api/v1/conversations/{await _conversation(household, 'member')}/pictures/one"
    member = household.clients["member"]
    refused = await member.post(path, content=b"<script>alert(1)</script>", headers=OCTETS)
    assert refused.status_code == 422
    assert "not a picture" in refused.json()["error"]["message"]
    as_html = await member.post(path, content=pictures.png(), headers={"Content-Type": "text/html"})
    assert as_html.status_code == 422


async def test_pictures_of_somebody_who_leaves_are_gone_from_the_disk(
    household: Household,
) -> None:
    owner, leaver = household.clients["owner"], household.open("leaver")
    joined = await join(leaver, await invite(owner), "Lea")
    person_id = joined.json()["person"]["id"]
    _, picture = await _send(household, "leaver", "webp")
    kept = await household.app.state.services.pictures.get(person_id, picture["id"])
    assert kept.path.is_file()
    assert (await owner.delete(f"/api/v1/people/{person_id}")).status_code == 204
    assert not kept.path.exists()
