"""A household's papers in a whole box: added over HTTP, waited for, and counted on the disk."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Final

import httpx
from sqlalchemy import Connection, text

from allerac.storage.database import Database
from allerac.storage.passages import count_indexed
from tests import documents

FILES: Final = "/api/v1/knowledge/files"
SECONDS: Final = 120.0
SECTIONS: Final = 200
CHECK_WORDS: Final = "INSERT INTO knowledge_text (knowledge_text) VALUES ('integrity-check')"

Json = dict[str, Any]


def long_paper(tag: str, sections: int = SECTIONS) -> bytes:
    """Return Markdown of as many passages as `sections`, and one that names `tag`."""
    told = "The {n}th room has a window, a door and a lamp that nobody switches off at night. " * 3
    return documents.markdown(
        [*((f"Room {n}", told.replace("{n}", str(n))) for n in range(sections)), ("End", tag * 9)]
    )


async def add(client: httpx.AsyncClient, name: str, content: bytes | AsyncIterator[bytes]) -> Json:
    """Add a document; returns it as it is when it has arrived."""
    headers = {"Content-Type": "application/octet-stream"}
    made = await client.post(FILES, params={"name": name}, content=content, headers=headers)
    assert made.is_success, made.text
    file: Json = made.json()
    return file


async def paper(client: httpx.AsyncClient, file_id: str) -> Json:
    """Return a document."""
    file: Json = (await client.get(f"{FILES}/{file_id}")).raise_for_status().json()
    return file


async def until(client: httpx.AsyncClient, file_id: str, reached: Callable[[Json], bool]) -> Json:
    """Return a document once it is as `reached` asks; fails at once where it could not be read."""
    async with asyncio.timeout(SECONDS):
        while not reached(file := await paper(client, file_id)):
            assert file["state"] != "failed", file
            await asyncio.sleep(0.2)
    return file


async def ready(client: httpx.AsyncClient, file_id: str) -> Json:
    """Return a document once it can be found."""
    return await until(client, file_id, lambda file: file["state"] == "ready")


async def passages(client: httpx.AsyncClient, file_id: str) -> list[tuple[int, str, str]]:
    """Return position, heading and text of each passage of a document, as a browser pages them."""
    found: list[tuple[int, str, str]] = []
    first: int | None = 0
    while first is not None:
        query = {"first": first, "limit": 100}
        page = (await client.get(f"{FILES}/{file_id}/passages", params=query)).json()
        found += [(item["position"], item["heading"], item["text"]) for item in page["items"]]
        first = page["next_first"]
    return found


async def remains(folder: Path) -> Json:
    """Return what the data folder of a box that stands still has of documents beyond its list.

    `uneven` are those whose text, words and vectors are not as many as they say.
    """
    database = Database(folder / "allerac.sqlite")
    await database.open()

    def count(connection: Connection) -> Json:
        files = connection.execute(text("SELECT id, chunks, sha256 FROM knowledge_file")).all()
        chunks = sum(file.chunks for file in files)
        kept = {
            table: connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()  # noqa: S608 - constants
            for table in ("knowledge_chunk", "knowledge_text", "knowledge_vector_192")
        }
        connection.exec_driver_sql(CHECK_WORDS)
        uneven = [
            file.id
            for file in files
            if set(count_indexed(connection, file.id)) != {file.chunks} or not file.chunks
        ]
        blobs = {path.name for path in folder.glob("blobs/*/*")} | {
            path.name for path in folder.glob("blobs/*.part")
        }
        return {
            "uneven": uneven,
            "surplus": {table: number - chunks for table, number in kept.items()},
            "blobs": sorted(blobs ^ {file.sha256 for file in files}),
            "drafts": sorted(path.name for path in folder.glob("reading/*")),
        }

    try:
        return await database.write(count)
    finally:
        await database.close()


NOTHING: Final[Json] = {
    "uneven": [],
    "surplus": {"knowledge_chunk": 0, "knowledge_text": 0, "knowledge_vector_192": 0},
    "blobs": [],
    "drafts": [],
}
"""What `remains` returns when all is well."""
