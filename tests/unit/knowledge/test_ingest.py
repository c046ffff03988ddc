"""Taking documents in goes on where it was cut, at every step, and never leaves half an index."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import text

from allerac.errors import Conflict, EngineUnavailable
from allerac.knowledge.retrieval import Retriever
from allerac.storage.passages import Scope
from tests import documents
from tests.unit.knowledge.house import (
    SECONDS,
    TEXT,
    LetterEmbedder,
    NoModelYet,
    OneModel,
    contents,
    drafts,
    everything,
    open_house,
    stream,
)


@pytest.mark.parametrize("stops_after", [0, 4, 32])
async def test_document_is_finished_after_a_stop_without_embedding_twice(
    tmp_path: Path, stops_after: int
) -> None:
    first = LetterEmbedder(stops_after=stops_after)
    async with open_house(tmp_path, first) as house:
        file = await house.service.add("ana", "house.md", stream(TEXT))
        async with asyncio.timeout(SECONDS):
            await first.stopped.wait()
    again = LetterEmbedder()
    async with open_house(tmp_path, again) as house:
        file = await house.settled(file.id)
        assert file.state == "ready"
        assert await house.rows() == (file.chunks, file.chunks)
        passages = [text for text in again.embedded if "Sentence" in text]  # beside single words
        assert len(passages) <= file.chunks - (stops_after // 32) * 32
        async with asyncio.timeout(SECONDS):
            while drafts(tmp_path):  # noqa: ASYNC110 - files have no event to wait on
                await asyncio.sleep(0.02)
        found = await house.service.search("ana", "Sentence 7 of the house")
        assert found.passages


async def test_removed_document_leaves_nothing(tmp_path: Path) -> None:
    async with open_house(tmp_path, LetterEmbedder()) as house:
        file = await house.service.add("ana", "house.md", stream(TEXT))
        await house.settled(file.id)
        await house.service.remove("ana", file.id)
        assert await house.rows() == (0, 0)
        assert everything(tmp_path) == []
        assert not (await house.service.search("ana", "Sentence 7")).passages


async def test_document_removed_while_it_is_read_leaves_nothing(tmp_path: Path) -> None:
    embedder = LetterEmbedder(stops_after=4)
    async with open_house(tmp_path, embedder) as house:
        file = await house.service.add("ana", "house.md", stream(TEXT))
        async with asyncio.timeout(SECONDS):
            await embedder.stopped.wait()
            await house.service.remove("ana", file.id)
            while everything(tmp_path):  # noqa: ASYNC110 - files have no event to wait on
                await asyncio.sleep(0.05)
        assert await house.rows() == (0, 0)


async def test_same_document_twice_is_refused_and_kept_once(tmp_path: Path) -> None:
    async with open_house(tmp_path, LetterEmbedder()) as house:
        file = await house.service.add("ana", "house.md", stream(TEXT))
        with pytest.raises(Conflict, match="already"):
            await house.service.add("ana", "other.md", stream(TEXT))
        assert (await house.settled(file.id)).state == "ready"
        assert len(contents(tmp_path)) == 1


async def test_new_version_takes_the_place_of_the_old_one_when_ready(tmp_path: Path) -> None:
    async with open_house(tmp_path, LetterEmbedder()) as house:
        file = await house.service.add("ana", "house.md", stream(TEXT))
        await house.settled(file.id)
        other = documents.markdown([("New", "The gate is green. " * 20)])
        await house.service.replace("ana", file.id, "new.md", stream(other))
        file = await house.settled(file.id)
        assert (file.name, file.version, file.chunks) == ("new.md", 2, 1)
        assert await house.rows() == (1, 1)
        assert len(contents(tmp_path)) == 1


async def test_upload_that_breaks_leaves_nothing(tmp_path: Path) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"half"
        raise EOFError

    async with open_house(tmp_path, LetterEmbedder()) as house:
        with pytest.raises(EOFError):
            await house.service.add("ana", "half.txt", broken())
        assert (await house.service.list_files("ana")).items == []
        assert everything(tmp_path) == []


async def test_unreadable_document_says_why_and_can_be_tried_again(tmp_path: Path) -> None:
    async with open_house(tmp_path, LetterEmbedder()) as house:
        file = await house.service.add("ana", "../../etc/sh\0adow.pdf", stream(b"\x7fELF123"))
        file = await house.settled(file.id)
        assert (file.name, file.state, file.reason) == ("shadow.pdf", "failed", "unknown_kind")
        assert (await house.service.retry("ana", file.id)).state == "processing"
        assert (await house.settled(file.id)).state == "failed"


async def test_others_find_a_document_only_while_it_is_shared(tmp_path: Path) -> None:
    async with open_house(tmp_path, LetterEmbedder()) as house:
        file = await house.service.add("ana", "house.md", stream(TEXT))
        await house.settled(file.id)
        question = "Sentence 7 of the house"
        assert not (await house.service.search("ben", question)).trace.considered
        await house.service.change("ana", file.id, visibility="household")
        assert (await house.service.search("ben", question)).passages
        await house.service.change("ana", file.id, visibility="private")
        assert not (await house.service.search("ben", question)).trace.considered


async def test_words_alone_are_searched_when_the_embedding_is_away(tmp_path: Path) -> None:
    class Away(LetterEmbedder):
        async def embed(self, texts: Sequence[str]) -> list[bytes]:
            raise EngineUnavailable("away")

    async with open_house(tmp_path, LetterEmbedder()) as house:
        file = await house.service.add("ana", "house.md", stream(TEXT))
        await house.settled(file.id)
        retriever = Retriever(database=house.database, embedder=Away(), models=OneModel())
        found = await retriever.find("Sentence 7 of the house", Scope("ana"), budget_tokens=500)
        assert found.passages
        assert found.trace.model_id is None


async def test_documents_are_read_anew_when_the_embedding_model_changes(tmp_path: Path) -> None:
    models = OneModel()
    async with open_house(tmp_path, LetterEmbedder(), models) as house:
        file = await house.service.add("ana", "house.md", stream(TEXT))
        before = await house.settled(file.id)
        models.model_id = "more-letters"
        async with asyncio.timeout(SECONDS):
            while (after := await house.settled(file.id)).embedding_model_id == "letters":  # noqa: ASYNC110 - no event
                await asyncio.sleep(0.02)
        assert (before.embedding_model_id, after.chunks) == ("letters", before.chunks)
        assert await house.rows() == (before.chunks, before.chunks)
        found = await house.service.search("ana", "Sentence 7 of the house")
        assert found.trace.model_id == "more-letters"
        assert found.trace.considered[0].vector_rank is not None


async def test_document_that_no_model_could_read_is_read_once_there_is_one(tmp_path: Path) -> None:
    models = NoModelYet()
    async with open_house(tmp_path, LetterEmbedder(), models) as house:
        file = await house.service.add("ana", "house.md", stream(TEXT))
        before = await house.settled(file.id)
        assert (before.state, before.reason) == ("failed", "no_model")
        models.model_id = "letters"
        house.ingest.renew_models()
        async with asyncio.timeout(SECONDS):
            while (after := await house.settled(file.id)).state == "failed":  # noqa: ASYNC110 - no event
                await asyncio.sleep(0.02)
        assert (after.state, after.reason, after.embedding_model_id) == ("ready", None, "letters")


async def test_what_an_older_version_took_in_is_made_fast_to_search_after_the_start(
    tmp_path: Path,
) -> None:
    async with open_house(tmp_path, LetterEmbedder()) as house:
        file = await house.service.add("ana", "house.md", stream(TEXT))
        await house.settled(file.id)
        passages, _ = await house.rows()
        await house.database.write(lambda c: c.execute(text("DELETE FROM passage_vector")))
    count = text("SELECT count(*) FROM passage_vector")
    async with open_house(tmp_path, LetterEmbedder()) as house, asyncio.timeout(SECONDS):
        while True:
            if await house.database.read(lambda c: c.execute(count).scalar_one()) == passages:
                break
            await asyncio.sleep(0.02)
