"""Finding passages: by meaning and by words, joined by rank, held to a threshold and a budget."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, Protocol

import structlog

from allerac.engine.embedding import Embedder
from allerac.errors import EngineUnavailable, ModelDamaged
from allerac.storage.database import Database
from allerac.storage.fusion import fuse
from allerac.storage.passage_near import in_bytes
from allerac.storage.passage_search import Hits, read_passages, search_passages
from allerac.storage.passage_vectors import Hit
from allerac.storage.passages import Chunk, Scope, StoredChunk

from .embedding_model import SEED_FLOOR, EmbeddingModel, EmbeddingModels, Traits, on_seed_scale
from .excerpts import excerpt, likeness, shingles
from .plain import plain
from .wording import Words, order_by_wording
from .words import covered, stem, words_in, words_of

log = structlog.get_logger()

TOP: Final = 5
CANDIDATES: Final = 40
QUESTION_CHARACTERS: Final = 2_000
WORDED: Final = 20
"""So many of the best are compared word by word; 40 find 0.02 more in twice the time."""
ALIKE: Final = 0.9
WORDS_ALONE: Final = 0.6
"""A passage that has as many of the telling words is related whatever its vector says."""
WORDS_COUNT: Final = 0.7
"""With fewer of the words, how rare they are says little, and the vector alone decides."""
PASSAGE_CHARACTERS: Final = 2_400
RANKED_CHARACTERS: Final = 800
"""What a reranker reads of a passage: it costs as much time as the chat model's own reading."""
BYTES_PER_TOKEN: Final = 3
LEAST_CHARACTERS: Final = 200

NEARLY: Final = 0.67
"""Beside a passage that is related, those count too that nearly are: 0.7 is for the question."""

Verdict = Literal["used", "unrelated", "duplicate", "budget", "rank"]


@dataclass(frozen=True, slots=True)
class Considered:
    """A passage that came up, and what became of it.

    Ranks count from 1, None where that search did not find it; `similarity` is on the seed scale.
    """

    chunk: int
    file_id: str
    verdict: Verdict
    vector_rank: int | None
    word_rank: int | None
    similarity: float | None
    coverage: float
    score: float


@dataclass(frozen=True, slots=True)
class Trace:
    """What was searched, found, dropped and why."""

    question: str
    words: tuple[str, ...]
    model_id: str | None
    considered: tuple[Considered, ...]
    budget_tokens: int
    embed_seconds: float
    search_seconds: float


@dataclass(frozen=True, slots=True)
class Passage:
    """What the model is given to read: `text` begins at `start` of the stored passage."""

    stored: StoredChunk
    text: str
    start: int


@dataclass(frozen=True, slots=True)
class Finding:
    """The passages for a question, best first, and how they were found."""

    passages: tuple[Passage, ...]
    trace: Trace


class Reranker(Protocol):
    """Puts candidates in a better order; optional."""

    async def rerank(self, question: str, texts: Sequence[str]) -> list[int]:
        """Return the positions of `texts`, best first."""


class Retriever:
    """Searches what a person may read."""

    def __init__(
        self,
        *,
        database: Database,
        embedder: Embedder,
        models: EmbeddingModels,
        words: Words | None = None,
        reranker: Reranker | None = None,
    ) -> None:
        self._database = database
        self._embedder = embedder
        self._models = models
        self._words = words
        self._reranker = reranker

    async def find(
        self, question: str, scope: Scope, *, budget_tokens: int, top: int = TOP
    ) -> Finding:
        """Return the passages that answer `question`; none where nothing is related.

        Without the embedding model words alone are searched.
        """
        question = question[:QUESTION_CHARACTERS]
        words = words_of(question)
        model = self._models.current()
        began = time.monotonic()
        vector, meant = await self._vectors(model, question, words)
        embedded = time.monotonic()
        searched = [*words, *(f"{stem(word)}*" for word in words if stem(word) != word)]

        near = (model.id, vector) if model is not None and vector is not None else None
        hits = await search_passages(self._database, scope, searched, near, CANDIDATES)
        texts = {number: _all_words(stored) for number, stored in hits.chunks.items()}
        candidates = _candidates(hits, texts, words, model)
        if model is not None and meant:
            candidates = await self._by_wording(model.id, meant, words, candidates, texts)
        candidates = await self._reranked(question, words, candidates, hits.chunks)
        passages, considered = _choose(candidates, hits.chunks, words, budget_tokens, top)
        trace = Trace(
            question=question,
            words=tuple(words),
            model_id=model.id if model is not None and vector is not None else None,
            considered=tuple(considered),
            budget_tokens=budget_tokens,
            embed_seconds=round(embedded - began, 4),
            search_seconds=round(time.monotonic() - embedded, 4),
        )
        return Finding(tuple(passages), trace)

    async def passages(self, person_id: str, numbers: Sequence[int]) -> Mapping[int, StoredChunk]:
        """Return the passages of these numbers that the person may read and that still exist."""
        return await read_passages(self._database, person_id, numbers)

    async def _vectors(
        self, model: EmbeddingModel | None, question: str, words: list[str]
    ) -> tuple[bytes | None, Mapping[str, bytes]]:
        """Return the vector of `question` and, as bytes, those of its words.

        A word that no document has needs one too: what means the same may stand there.
        """
        if model is None:
            return None, {}
        telling = [word for word in words if word.isalpha()] if self._words is not None else []
        known = await self._words.known(model.id, telling) if self._words is not None else {}
        unknown = [word for word in telling if word not in known]
        asked = [f"{model.traits.passage_prefix}{word}" for word in unknown]
        try:
            await self._embedder.load(model.file)
            vectors = await self._embedder.embed([f"{model.traits.query_prefix}{question}", *asked])
        except (EngineUnavailable, ModelDamaged) as error:
            log.warning("searched_by_words_only", reason=error.message)
            return None, {}
        return vectors[0], {**known, **dict(zip(unknown, map(in_bytes, vectors[1:]), strict=True))}

    async def _by_wording(
        self,
        model_id: str,
        meant: Mapping[str, bytes],
        words: list[str],
        found: list[Considered],
        texts: Mapping[int, str],
    ) -> list[Considered]:
        """Let the best move up that say what each word of the question means."""
        if self._words is None:
            return found
        first, rest = found[:WORDED], found[WORDED:]
        passages = [words_in(texts[each.chunk]) for each in first]
        every = frozenset[str]().union(*passages)
        near = await self._words.near(model_id, meant, every)
        if not near:
            return found
        order = order_by_wording(words, passages, near)
        fused = fuse([range(len(first)), order])
        return [replace(first[at], score=round(score, 5)) for at, score in fused] + rest

    async def _reranked(
        self,
        question: str,
        words: list[str],
        found: list[Considered],
        chunks: Mapping[int, StoredChunk],
    ) -> list[Considered]:
        """Put those that are related in the reranker's order, all others behind them."""
        if self._reranker is None:
            return found
        related = [each for each in found if each.verdict == "rank"]
        texts = [_to_rank(chunks[each.chunk].chunk, words) for each in related]
        order = await self._reranker.rerank(question, texts)
        return [related[at] for at in order] + [each for each in found if each.verdict != "rank"]


def _to_rank(chunk: Chunk, words: list[str]) -> str:
    text = excerpt(chunk.content, words, RANKED_CHARACTERS)
    return f"{chunk.heading}\n{text}" if chunk.heading else text


def _all_words(stored: StoredChunk) -> str:
    return plain(f"{stored.file_name} {stored.chunk.heading} {stored.chunk.content}")


def _candidates(
    hits: Hits, texts: Mapping[int, str], words: list[str], model: EmbeddingModel | None
) -> list[Considered]:
    vector_ranks = {hit.number: rank for rank, hit in enumerate(hits.by_vector, start=1)}
    word_ranks = {hit.number: rank for rank, hit in enumerate(hits.by_words, start=1)}
    near = {hit.number: hit for hit in hits.by_vector}
    found = []
    shares = {number: round(covered(text, words), 3) for number, text in texts.items()}
    telling = [number for number in word_ranks if shares.get(number, 0.0) >= WORDS_COUNT]
    for number, score in fuse([[*vector_ranks], telling]):
        stored = hits.chunks.get(number)
        if stored is None:
            continue
        similarity = None
        if model is not None and number in near:
            similarity = round(_similarity(near[number], model.traits), 3)
        found.append(
            Considered(
                chunk=number,
                file_id=stored.file_id,
                verdict="rank",
                vector_rank=vector_ranks.get(number),
                word_rank=word_ranks.get(number),
                similarity=similarity,
                coverage=shares[number],
                score=round(score, 5),
            )
        )
    least = NEARLY if any(_is_related(each, SEED_FLOOR) for each in found) else SEED_FLOOR
    return [
        each if _is_related(each, least) else replace(each, verdict="unrelated") for each in found
    ]


def _is_related(each: Considered, least: float) -> bool:
    return (each.similarity or 0.0) >= least or each.coverage >= WORDS_ALONE


def _similarity(hit: Hit, traits: Traits) -> float:
    return on_seed_scale(hit.score if traits.is_centred else hit.cosine, traits)


def _choose(
    candidates: list[Considered],
    chunks: Mapping[int, StoredChunk],
    words: list[str],
    budget_tokens: int,
    top: int,
) -> tuple[list[Passage], list[Considered]]:
    """Take the best until there are `top` or the budget is spent."""
    passages: list[Passage] = []
    kept: list[frozenset[str]] = []
    considered: list[Considered] = []
    left = budget_tokens * BYTES_PER_TOKEN
    for each in candidates:
        stored = chunks[each.chunk]
        verdict = each.verdict
        if verdict == "rank" and len(passages) < top:
            runs = shingles(stored.chunk.content)
            room = min(PASSAGE_CHARACTERS, left)
            if any(likeness(runs, other) >= ALIKE for other in kept):
                verdict = "duplicate"
            elif room < min(LEAST_CHARACTERS, len(stored.chunk.content)):
                verdict = "budget"
            else:
                verdict = "used"
                text = excerpt(stored.chunk.content, words, room)
                passages.append(Passage(stored, text, stored.chunk.content.index(text)))
                kept.append(runs)
                left -= len(text.encode("utf-8", "replace"))
        considered.append(replace(each, verdict=verdict))
    return passages, considered
