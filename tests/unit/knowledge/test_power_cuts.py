"""The power goes while a document is replaced or removed: it is the old or the new one, or gone."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path

from allerac.knowledge.blobs import Blob, BlobStore
from allerac.knowledge.drafts import Draft, tidy
from tests import documents
from tests.unit.knowledge.house import (
    SECONDS,
    TEXT,
    House,
    LetterEmbedder,
    contents,
    everything,
    open_house,
    stream,
)

NEW = documents.markdown([("New", "The gate is green. " * 20)])


class CutBlobs(BlobStore):
    """The power goes right after a content was stored, or right before one is deleted."""

    def __init__(self, folder: Path, *, cut_at: str) -> None:
        super().__init__(folder)
        self._cut_at = cut_at
        self.is_armed = False
        self.is_cut = asyncio.Event()

    async def store(
        self, name: str, data: AsyncIterator[bytes], on_bytes: Callable[[int], None]
    ) -> Blob:
        """Store it, and stop for good where that is when the power goes."""
        stored = await super().store(name, data, on_bytes)
        await self._reached("stored")
        return stored

    async def remove(self, sha256: str) -> None:
        """Remove it, unless the power goes first."""
        await self._reached("removing")
        await super().remove(sha256)

    async def _reached(self, place: str) -> None:
        if self.is_armed and place == self._cut_at:
            self.is_cut.set()
            await asyncio.Event().wait()


async def _cut(folder: Path, at: str, act: Callable[[House, str], Awaitable[object]]) -> str:
    """Do `act` with a document that is ready until the power goes; returns the document's id."""
    blobs = CutBlobs(folder / "blobs", cut_at=at)
    async with open_house(folder, LetterEmbedder(), blobs=blobs) as house:
        file = await house.service.add("ana", "old.md", stream(TEXT))
        await house.settled(file.id)
        await house.ingest.stop()
        blobs.is_armed = True
        acting = asyncio.ensure_future(act(house, file.id))
        async with asyncio.timeout(SECONDS):
            await blobs.is_cut.wait()
        acting.cancel()
        with suppress(asyncio.CancelledError):
            await acting
    return file.id


async def _replace(house: House, file_id: str) -> None:
    await house.service.replace("ana", file_id, "new.md", stream(NEW))


async def _remove(house: House, file_id: str) -> None:
    await house.service.remove("ana", file_id)


async def test_old_version_stays_when_the_power_goes_before_the_new_one_is_acknowledged(
    tmp_path: Path,
) -> None:
    file_id = await _cut(tmp_path, "stored", _replace)
    async with open_house(tmp_path, LetterEmbedder()) as house:
        file = await house.settled(file_id)
        assert (file.name, file.version, file.indexed_version) == ("old.md", 1, 1)
        assert contents(tmp_path) == [file.sha256]
        assert (await house.service.search("ana", "Sentence 7 of the house")).passages


async def test_new_version_is_read_after_the_start_when_the_power_goes_before_the_old_one_is_gone(
    tmp_path: Path,
) -> None:
    file_id = await _cut(tmp_path, "removing", _replace)
    async with open_house(tmp_path, LetterEmbedder()) as house:
        file = await house.settled(file_id)
        assert (file.name, file.version, file.indexed_version) == ("new.md", 2, 2)
        assert await house.rows() == (1, 1)
        assert contents(tmp_path) == [file.sha256]
        assert (await house.service.search("ana", "Is the gate green?")).passages


async def test_removed_document_is_gone_after_the_start_when_the_power_goes_meanwhile(
    tmp_path: Path,
) -> None:
    await _cut(tmp_path, "removing", _remove)
    assert len(contents(tmp_path)) == 1
    async with open_house(tmp_path, LetterEmbedder()) as house:
        assert (await house.service.list_files("ana")).items == []
        assert await house.rows() == (0, 0)
        assert everything(tmp_path) == []


async def test_what_was_read_of_a_document_goes_too_when_the_power_goes_while_it_is_removed(
    tmp_path: Path,
) -> None:
    embedder = LetterEmbedder(stops_after=36)
    async with open_house(tmp_path, embedder) as house:
        file = await house.service.add("ana", "old.md", stream(TEXT))
        async with asyncio.timeout(SECONDS):
            await embedder.stopped.wait()
        await house.ingest.stop()
        await house.files.remove(file.id)
    assert {name[: len(file.id)] for name in everything(tmp_path)} > {file.id}
    async with open_house(tmp_path, LetterEmbedder()):
        assert everything(tmp_path) == []


def test_drafts_of_what_is_being_read_are_kept_and_no_others(tmp_path: Path) -> None:
    for file_id, version in (("one", 1), ("one", 12), ("two", 1)):
        draft = Draft(tmp_path, file_id, version)
        for path in (draft.pieces, draft.chunks("m"), draft.vectors("m")):
            path.touch()
    Draft(tmp_path, "two", 1).pieces.with_suffix(".pieces.part").touch()
    tidy(tmp_path, [("one", 12)])
    kept = Draft(tmp_path, "one", 12)
    paths = {kept.pieces, kept.chunks("m"), kept.vectors("m")}
    assert set(tmp_path.iterdir()) == paths
    Draft(tmp_path, "one", 1).remove()
    assert set(tmp_path.iterdir()) == paths
