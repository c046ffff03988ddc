"""Folders over HTTP: named, moved between and taken away, and nobody else's touched."""

from typing import Any

import httpx
import pytest

from tests.api.conftest import Household

pytestmark = pytest.mark.asyncio(loop_scope="module")

BASE = "/api/v1/knowledge"
FOLDERS = f"{BASE}/folders"


async def add(household: Household, who: str, text: str, **query: str) -> Any:
    response = await household.clients[who].post(
        f"{BASE}/files",
        params={"name": f"{text}.txt", **query},
        content=f"This paper is about {text}.",
        headers={"Content-Type": "application/octet-stream"},
    )
    assert response.status_code == 201, response.text
    return response.json()["id"]


async def folder_of(household: Household, who: str, file_id: str) -> str:
    file = await household.clients[who].get(f"{BASE}/files/{file_id}")
    folder: str = file.json()["folder"]
    return folder


async def folders(household: Household, who: str) -> dict[str, tuple[int, int]]:
    found = (await household.clients[who].get(FOLDERS)).json()["items"]
    return {each["name"]: (each["documents"], each["own"]) for each in found}


async def rename(household: Household, who: str, name: str, new_name: str) -> httpx.Response:
    client = household.clients[who]
    return await client.patch(FOLDERS, params={"name": name}, json={"name": new_name})


async def scoped(household: Household, who: str, folder: str) -> str:
    client = household.clients[who]
    made = (await client.post("/api/v1/conversations", json={})).json()["id"]
    scope = {"assistant_id": None, "uses_knowledge": True, "folder": folder}
    await client.put(f"/api/v1/conversations/{made}/scope", json=scope)
    return f"/api/v1/conversations/{made}/scope"


async def test_several_documents_are_moved_at_once_or_none(household: Household) -> None:
    member = household.clients["member"]
    mine = [await add(household, "member", text) for text in ("apples", "pears")]
    theirs = await add(household, "admin", "plums", visibility="household")
    hidden = await add(household, "admin", "cherries")
    body = {"file_ids": mine, "folder": " Garden / Fruit/ "}
    moved = await member.post(f"{BASE}/move", json=body)
    assert moved.status_code == 200, moved.text
    assert (await folders(household, "member"))["Garden/Fruit"] == (2, 2)
    for other, status in ((theirs, 403), (hidden, 404), ("no-such-file", 404)):
        both = {"file_ids": [mine[0], other], "folder": "Elsewhere"}
        assert (await member.post(f"{BASE}/move", json=both)).status_code == status
        assert await folder_of(household, "member", mine[0]) == "Garden/Fruit"
    await member.post(f"{BASE}/move", json={"file_ids": mine, "folder": ""})
    assert "Garden/Fruit" not in await folders(household, "member")


async def test_renamed_folder_takes_along_what_is_within_it_and_who_looks_there(
    household: Household,
) -> None:
    member = household.clients["member"]
    top = await add(household, "member", "income", folder="Taxes")
    within = await add(household, "member", "receipts", folder="Taxes/2025")
    beside = await add(household, "member", "levies", folder="Taxes of the club")
    lower = await add(household, "member", "duties", folder="taxes/old")
    theirs = await add(household, "admin", "refunds", folder="Taxes", visibility="household")
    looking = await scoped(household, "member", "Taxes/2025")
    others = await scoped(household, "admin", "Taxes")

    renamed = await rename(household, "member", "Taxes", "Money")

    assert renamed.status_code == 200, renamed.text
    places = [await folder_of(household, "member", each) for each in (top, within, beside, lower)]
    assert places == ["Money", "Money/2025", "Taxes of the club", "taxes/old"]
    assert await folder_of(household, "admin", theirs) == "Taxes"
    assert (await member.get(looking)).json()["folder"] == "Money/2025"
    assert (await household.clients["admin"].get(others)).json()["folder"] == "Taxes"


@pytest.mark.parametrize(
    ("name", "new_name", "status"),
    [
        ("Kept", "Taken", 409),
        ("Kept", " / .. /", 422),
        ("Kept", "x" * 200, 422),
        ("No such folder", "Other", 404),
    ],
)
async def test_name_that_cannot_be_given_changes_nothing(
    household: Household, name: str, new_name: str, status: int
) -> None:
    kept = await add(household, "owner", f"{new_name[:9]} {status}", folder="Kept/Deep")
    await add(household, "owner", f"taken {new_name[:9]} {status}", folder="Taken")
    refused = await rename(household, "owner", name, new_name)
    assert refused.status_code == status, refused.text
    assert await folder_of(household, "owner", kept) == "Kept/Deep"


async def test_folder_taken_away_leaves_its_documents_one_folder_up(household: Household) -> None:
    admin = household.clients["admin"]
    deep = await add(household, "admin", "seeds", folder="House/Garden/Beds")
    inside = await add(household, "admin", "tools", folder="House/Garden")
    looking = await scoped(household, "admin", "House/Garden")
    gone = await admin.delete(FOLDERS, params={"name": "House/Garden"})
    assert gone.status_code == 204, gone.text
    assert await folder_of(household, "admin", deep) == "House/Beds"
    assert await folder_of(household, "admin", inside) == "House"
    assert (await admin.get(looking)).json()["folder"] == "House"
    await admin.delete(FOLDERS, params={"name": "House"})
    assert await folder_of(household, "admin", deep) == "Beds"
    assert await folder_of(household, "admin", inside) == ""
    assert (await admin.get(looking)).json()["folder"] is None


async def test_folder_taken_away_with_its_documents_leaves_only_other_peoples(
    household: Household,
) -> None:
    admin = household.clients["admin"]
    mine = [await add(household, "admin", t, folder=f"Old{t}") for t in ("", "/x")]
    theirs = await add(household, "member", "ours", folder="Old", visibility="household")
    gone = await admin.delete(FOLDERS, params={"name": "Old", "documents": "remove"})
    assert gone.status_code == 204, gone.text
    for file_id in mine:
        assert (await admin.get(f"{BASE}/files/{file_id}")).status_code == 404
    assert await folder_of(household, "member", theirs) == "Old"
    assert (await folders(household, "admin"))["Old"] == (1, 0)
    refused = await admin.delete(FOLDERS, params={"name": "Old"})
    assert refused.status_code == 404
