"""What each word of a question means is looked for in the passages, whatever words they use."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest
from sqlalchemy import text

from allerac.knowledge.wording import order_by_wording
from allerac.storage.passage_words import MAX_WORDS, Missing, WordStore
from tests import documents
from tests.unit.knowledge.house import SECONDS, House, LetterEmbedder, open_house, stream

OTHERS = [f"word{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"]
"""Words that mean nothing of what is asked."""


def near(**same: str) -> Mapping[str, Mapping[str, float]]:
    """Return for each word how near others are: one that means the same, and many that do not."""
    far = {other: 0.01 * (at % 5) for at, other in enumerate(OTHERS)}
    return {word: {**far, other: 0.6} for word, other in same.items()}


def test_passage_that_says_it_in_other_words_comes_first() -> None:
    passages = [{"roof", *OTHERS}, {"kessel", *OTHERS}, {"garden", *OTHERS}]
    assert order_by_wording(["boiler"], passages, near(boiler="kessel")) == [1, 0, 2]


def test_all_words_of_the_question_count_and_rare_ones_more() -> None:
    passages = [
        {"kessel", "schule"},
        {"kessel", "hotel"},
        {"kessel", "schule"},
        {"dach", "hotel", *OTHERS},
    ]
    known = near(boiler="kessel", inn="hotel")
    assert order_by_wording(["boiler", "inn"], passages, known) == [1, 3, 0, 2]


def test_own_form_of_a_word_counts_without_a_vector() -> None:
    passages = [{"roof"}, {"boilers"}, {"4711"}]
    assert order_by_wording(["boiler"], passages, {}) == [1, 0, 2]
    assert order_by_wording(["4711"], passages, near(boiler="roof")) == [2, 0, 1]


def test_order_stays_where_no_passage_says_more_than_another() -> None:
    passages = [{"roof"}, {"garden"}, set[str]()]
    assert order_by_wording(["boiler"], passages, near(boiler="kessel")) == [0, 1, 2]
    assert order_by_wording([], [], {}) == []


async def _kept(house: House) -> set[str]:
    query = text("SELECT word FROM knowledge_word")
    return set(await house.database.read(lambda connection: connection.scalars(query).all()))


async def _until(house: House, wanted: set[str]) -> set[str]:
    """Return the words with vectors once `wanted` are among them."""
    async with asyncio.timeout(SECONDS):
        while not wanted <= (kept := await _kept(house)):  # noqa: ASYNC110 - rows have no event
            await asyncio.sleep(0.02)
    return kept


async def test_words_of_documents_get_vectors_and_lose_them_with_the_last_document(
    tmp_path: Path,
) -> None:
    first = documents.markdown([("One", "The boiler hums. " * 9), ("Code", "It is 4711ab. " * 9)])
    second = documents.markdown([("Two", "The lighthouse hums. " * 9)])
    async with open_house(tmp_path, LetterEmbedder()) as house:
        one = await house.service.add("ana", "one.md", stream(first))
        two = await house.service.add("ana", "two.md", stream(second))
        await house.settled(one.id)
        await house.settled(two.id)
        kept = await _until(house, {"boiler", "lighthouse", "hums", "two"})
        assert not {"the", "4711ab"} & kept
        await house.service.remove("ana", two.id)
        async with asyncio.timeout(SECONDS):
            while "lighthouse" in await _kept(house):  # noqa: ASYNC110 - rows have no event
                await asyncio.sleep(0.02)
        assert {"boiler", "hums"} <= await _kept(house)


async def test_question_finds_what_another_word_means_the_same_as(tmp_path: Path) -> None:
    """The model counts letters: to it, words of the same letters mean the same."""
    told = [("Sea", f"The {word} stands there. ") for word in ("tower", "bridge", "castle")]
    async with open_house(tmp_path, LetterEmbedder()) as house:
        file = await house.service.add("ana", "a.md", stream(documents.markdown(told)))
        await house.settled(file.id)
        await _until(house, {"tower", "bridge", "castle"})
        words = WordStore(house.database)
        known = await words.known("letters", ["tower", "nobody"])
        assert set(known) == {"tower"}
        cosines = (await words.near("letters", known, ["tower", "bridge", "nobody"]))["tower"]
        assert set(cosines) == {"tower", "bridge"}
        assert cosines["tower"] == pytest.approx(1.0, abs=1e-3)
        assert cosines["bridge"] < cosines["tower"]
        assert await words.near("other", known, ["tower"]) == {}
        assert await words.near("letters", {}, ["tower"]) == {}


async def test_there_is_an_end_to_the_words_that_are_kept(tmp_path: Path) -> None:
    fill = text(
        "WITH RECURSIVE many (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM many LIMIT :most) "
        "INSERT INTO knowledge_word SELECT 'full', n, x'00' FROM many"
    )
    async with open_house(tmp_path, LetterEmbedder()) as house:
        words = WordStore(house.database)
        assert await words.missing("letters", "", 5) == Missing((), None)
        file = await house.service.add("ana", "a.txt", stream(b"The lighthouse stands."))
        await house.settled(file.id)
        await house.ingest.stop()
        await house.database.write(lambda connection: connection.execute(fill, {"most": MAX_WORDS}))
        assert await words.missing("full", "", 5) == Missing((), None)
        assert (await words.missing("other", "", 1)).words == ("lighthouse",)
