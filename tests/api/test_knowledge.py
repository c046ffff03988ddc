"""Documents over HTTP: added, read by the real worker and the real embedding model, and found."""

import asyncio
from typing import Any

import pytest

from tests import documents
from tests.api.conftest import Household

pytestmark = pytest.mark.asyncio(loop_scope="module")

PAGES = (
    "The house rules.\nThe bins are emptied every Tuesday morning before seven o'clock.\n"
    "Glass goes to the container behind the school, never into the bins of the house.",
    "The boiler.\nThe boiler is serviced by Miller Heating every year in March.\n"
    "The boiler code is 4711. It is needed whenever the boiler has been without power.",
    "The internet.\nThe wifi password is blue-otter-42 and is changed on every first of May.",
)
FILES = "/api/v1/knowledge/files"
OCTETS = {"Content-Type": "application/octet-stream"}
READY_SECONDS = 60


async def add(household: Household, who: str, name: str, data: bytes, **query: str) -> Any:
    response = await household.clients[who].post(
        FILES, params={"name": name, **query}, content=data, headers=OCTETS
    )
    assert response.status_code == 201, response.text
    return response.json()


async def settled(household: Household, who: str, file_id: str) -> Any:
    async with asyncio.timeout(READY_SECONDS):
        while True:
            file = (await household.clients[who].get(f"{FILES}/{file_id}")).json()
            if file["state"] in ("ready", "failed"):
                return file
            await asyncio.sleep(0.05)


async def found(household: Household, who: str, question: str, **body: Any) -> Any:
    response = await household.clients[who].post(
        "/api/v1/knowledge/search", json={"question": question, **body}
    )
    assert response.status_code == 200, response.text
    return response.json()


async def test_pdf_is_read_and_its_page_found_and_shown(household: Household) -> None:
    file = await add(household, "member", "house.pdf", documents.pdf(PAGES))
    assert (file["state"], file["mine"]) == ("processing", True)
    file = await settled(household, "member", file["id"])
    assert (file["state"], file["kind"], file["pages"]) == ("ready", "pdf", 3), file
    assert file["passages"] == 3

    best = (await found(household, "member", "Who repairs the heater?"))["passages"][0]
    assert "Miller Heating" in best["text"]
    assert (best["file_id"], best["first_page"], best["last_page"]) == (file["id"], 2, 2)

    member = household.clients["member"]
    picture = await member.get(f"{FILES}/{file['id']}/pages/2")
    assert picture.headers["content-type"] == "image/png"
    assert picture.content.startswith(b"\x89PNG")
    assert (await member.get(f"{FILES}/{file['id']}/pages/4")).status_code == 404

    original = await member.get(f"{FILES}/{file['id']}/content")
    assert original.content == documents.pdf(PAGES)
    assert original.headers["content-disposition"].startswith("attachment")


async def test_answer_comes_from_the_document_with_its_page(household: Household) -> None:
    member = household.clients["member"]
    made = await member.post("/api/v1/conversations", json={})
    conversation = made.json()["id"]
    body = {"content": "What is the wifi password?", "client_id": "pdf", "parent_id": None}
    sent = await member.post(f"/api/v1/conversations/{conversation}/messages", json=body)
    answer = sent.json()["answer"]["id"]
    events = (await member.get(f"/api/v1/generations/{answer}/events")).text
    assert "event: sources" in events
    assert '"passages":[]' not in events.replace(" ", "")

    messages = await member.get(f"/api/v1/conversations/{conversation}/messages")
    said = messages.json()["items"][-1]["content"]
    assert "blue-otter-42" in said, said

    path = f"/api/v1/knowledge/conversations/{conversation}/sources"
    (item,) = (await member.get(path)).json()["items"]
    source = item["sources"][0]
    assert (item["message_id"], source["number"], source["first_page"]) == (answer, 1, 3)

    trace = (await member.get(f"/api/v1/knowledge/answers/{answer}/trace")).json()
    assert trace["trace"]["by_meaning"]
    assert trace["trace"]["considered"][0]["verdict"] == "used"
    owner = household.clients["owner"]
    assert (await owner.get(f"/api/v1/knowledge/answers/{answer}/trace")).status_code == 404


async def test_answer_that_no_document_has_is_told_to_come_from_none(household: Household) -> None:
    member = household.clients["member"]
    conversation = (await member.post("/api/v1/conversations", json={})).json()["id"]
    body = {"content": "Zxqv plorf bnmk?", "client_id": "no", "parent_id": None}
    sent = await member.post(f"/api/v1/conversations/{conversation}/messages", json=body)
    answer = sent.json()["answer"]["id"]
    events = (await member.get(f"/api/v1/generations/{answer}/events")).text
    assert '"passages":[]' in events.replace(" ", "")
    (item,) = (await member.get(f"/api/v1/knowledge/conversations/{conversation}/sources")).json()[
        "items"
    ]
    assert (item["message_id"], item["sources"]) == (answer, [])
