"""`make bench-knowledge`: what is found in a household's papers, against either search alone.

Everything is the product's own: worker, embedding process, indexes, retrieval. Ratios are of one
run.
"""

import argparse
import asyncio
import os
import random
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import mean, quantiles

import numpy as np
from sqlalchemy import Connection, select

from allerac.engine.embedding import EmbeddingSupervisor
from allerac.engine.protocol import ModelFile
from allerac.knowledge.blobs import BlobStore
from allerac.knowledge.embedding_model import EmbeddingModel, traits_of
from allerac.knowledge.ingest import LEASE, Desk, Ingest, Unhurried
from allerac.knowledge.retrieval import CANDIDATES, Finding, Retriever
from allerac.knowledge.service import KnowledgeService, Parts
from allerac.knowledge.word_reading import WordReader
from allerac.knowledge.words import stem, words_of
from allerac.storage.database import Database
from allerac.storage.ids import new_id
from allerac.storage.knowledge import KnowledgeStore, NewFile
from allerac.storage.knowledge_jobs import JobStore
from allerac.storage.knowledge_tables import knowledge_file
from allerac.storage.passage_search import search_passages
from allerac.storage.passage_vectors import FEW_WANTED, Hit, nearest
from allerac.storage.passage_words import WordStore
from allerac.storage.passages import Chunk, Scope, put_chunks
from allerac.storage.traces import TraceStore
from benchmarks.knowledge_corpus import Asked, halves, make_corpus
from tests.chat_room import people

DEMO = Path(__file__).resolve().parents[1] / "demo_model" / "allerac-demo-embedding-q8_0.gguf"
TOP = 5
ALL = 1_000
"""More passages than the papers have."""
BUDGET_TOKENS = 10_000
QUERIES = 200
COMPARED = 50
FOREIGN_QUERIES = 10_000
SIZES = (1_000, 10_000, 100_000)


@dataclass(frozen=True, slots=True)
class Shelf:
    """The model that reads the papers."""

    model: EmbeddingModel

    def current(self) -> EmbeddingModel:
        """Return it."""
        return self.model


@dataclass(frozen=True, slots=True)
class Bench:
    """A library of its own, and the doors through which it is measured."""

    database: Database
    embedder: EmbeddingSupervisor
    service: KnowledgeService
    retriever: Retriever
    files: KnowledgeStore
    model: EmbeddingModel
    words: WordReader


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=DEMO, help="an embedding model's GGUF")
    parser.add_argument("--model-id", default="allerac-demo-embedding")
    parser.add_argument("--first-half", action="store_true", help="ask what settings are chosen by")
    parser.add_argument("--speed-alone", action="store_true", help="leave the papers out")
    parser.add_argument("--sizes", type=int, nargs="*", default=SIZES)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_measure(Path(folder), arguments))


async def _measure(folder: Path, arguments: argparse.Namespace) -> None:
    bench = await _open(folder, arguments.model.resolve(), arguments.model_id)
    try:
        print(f"## Knowledge, {arguments.model_id}\n")
        if not arguments.speed_alone:
            await _print_quality(bench, halves(make_corpus()[1])[0 if arguments.first_half else 1])
        rows = await _speed(bench, arguments.sizes)
        head = ("passages", "query p50", "query p95", "plain vectors p95", "plain words p95")
        _table((*head, "vectors / comparing all", "best ten the same"), rows)
    finally:
        await bench.service.stop()
        await bench.embedder.stop()
        await bench.database.close()


async def _print_quality(bench: Bench, questions: Sequence[Asked]) -> None:
    papers, _ = make_corpus()
    seconds, pages = await _take_in(bench, {paper.name: paper.content for paper in papers})
    print(f"{len(papers)} papers, {len(questions)} questions\n")
    _table(("", "both", "vectors", "words", "both / better"), await _quality(bench, questions))
    print(f"\ntaken in: {len(papers) / seconds:.1f} papers/s, {pages / seconds:.1f} pages/s\n")
    print(f"passages of another person in {FOREIGN_QUERIES} queries: {await _foreign(bench)}\n")


async def _open(folder: Path, path: Path, model_id: str) -> Bench:
    database = Database(folder / "allerac.sqlite")
    await database.open()
    await database.write(people)
    threads = os.cpu_count() or 1
    file = ModelFile(
        model_id=model_id, path=path, context_length=1024, threads=threads, purpose="embedding"
    )
    model = EmbeddingModel(file, traits_of(model_id))
    shelf, embedder = Shelf(model), EmbeddingSupervisor()
    await embedder.load(file)
    files, blobs = KnowledgeStore(database), BlobStore(folder / "blobs")
    jobs = JobStore(database, owner=new_id(), lease=LEASE)
    words = WordStore(database)
    retriever = Retriever(database=database, embedder=embedder, models=shelf, words=words)
    reader = WordReader(words, embedder, shelf)
    desk = Desk(files, jobs, blobs, embedder, shelf, Unhurried(), folder / "reading", reader)
    parts = Parts(
        files, jobs, blobs, Ingest(desk), retriever, TraceStore(database), folder / "reading"
    )
    service = KnowledgeService(parts)
    await service.start()
    return Bench(database, embedder, service, retriever, files, model, reader)


async def _take_in(bench: Bench, papers: dict[str, bytes]) -> tuple[float, int]:
    """Add every paper; returns the seconds until all can be found, and how many pages that is.

    Where a kind has no pages, a passage is one.
    """

    async def whole(content: bytes) -> AsyncIterator[bytes]:
        yield content

    began = time.monotonic()
    for name, content in papers.items():
        await bench.service.add("ana", name, whole(content))
    while True:
        page = await bench.files.page("ana", limit=1000)
        if all(file.state in ("ready", "failed") for file in page.items):
            break
        await asyncio.sleep(0.05)
    failed = [file.name for file in page.items if file.state == "failed"]
    if failed:
        raise SystemExit(f"not read: {failed}")
    seconds = time.monotonic() - began
    await _read_words(bench)
    return seconds, sum(file.pages or file.chunks for file in page.items)


async def _read_words(bench: Bench) -> None:
    """Let every word have its vector, as it has on a box that rests."""
    for _ in range(2):  # what the ingest's own round had in its hands was not kept yet
        bench.words.begin_again()
        while await bench.words.read_some():
            pass


async def _quality(bench: Bench, questions: Sequence[Asked]) -> list[Sequence[str]]:
    places: dict[str, list[tuple[Asked, int | None]]] = {"both": [], "vectors": [], "words": []}
    refused, cited = [], []
    for asked in questions:
        found = await bench.retriever.find(
            asked.question, Scope("ana"), budget_tokens=BUDGET_TOKENS, top=TOP
        )
        if not asked.answer:
            refused.append(not found.passages)
            continue
        texts = [(each.stored.file_name, each.text) for each in found.passages]
        places["both"].append((asked, _place(asked, texts)))
        cited.append(bool(texts) and _place(asked, texts[:1]) is not None)
        for way, alone in (await _alone(bench, asked.question)).items():
            places[way].append((asked, _place(asked, alone)))
    rows = []
    for wording in ("same words", "other words", None):
        chosen = {
            way: [at for asked, at in found if wording in (None, asked.wording)]
            for way, found in places.items()
        }
        rows.append(
            _row(f"recall@{TOP}, {wording or 'all'}", chosen, lambda at: float(at is not None))
        )
        rows.append(
            _row(f"MRR, {wording or 'all'}", chosen, lambda at: 0.0 if at is None else 1 / at)
        )
    rows.append(("first passage is the right one", f"{mean(cited):.3f}", "", "", ""))
    rows.append(("unanswerable refused", f"{mean(refused):.3f}", "", "", ""))
    return rows


def _row(
    name: str, places: dict[str, list[int | None]], value: Callable[[int | None], float]
) -> Sequence[str]:
    figures = {way: mean(map(value, found)) for way, found in places.items()}
    better = max(figures["vectors"], figures["words"])
    ratio = f"{figures['both'] / better:.2f}" if better else "-"
    return (name, *(f"{figures[way]:.3f}" for way in ("both", "vectors", "words")), ratio)


def _place(asked: Asked, found: Sequence[tuple[str, str]]) -> int | None:
    """Return at which place the answer stands, counted from 1."""
    places = (
        place
        for place, (name, text) in enumerate(found, start=1)
        if name in asked.papers and asked.answer in text
    )
    return next(places, None)


async def _alone(bench: Bench, question: str) -> dict[str, list[tuple[str, str]]]:
    """Return what either search finds without the other and without a threshold.

    Vectors by nothing but their cosine.
    """
    words = words_of(question)
    searched = [*words, *(f"{stem(word)}*" for word in words if stem(word) != word)]
    (vector,) = await bench.embedder.embed([bench.model.traits.query_prefix + question])
    hits = await search_passages(
        bench.database, Scope("ana"), searched, (bench.model.id, vector), ALL
    )
    by_cosine = sorted(hits.by_vector, key=lambda hit: -hit.cosine)

    def told(numbers: Sequence[int]) -> list[tuple[str, str]]:
        return [(hits.chunks[n].file_name, hits.chunks[n].chunk.content) for n in numbers]

    return {
        "vectors": told([hit.number for hit in by_cosine[:TOP]]),
        "words": told([hit.number for hit in hits.by_words[:TOP]]),
    }


async def _foreign(bench: Bench) -> int:
    """Return how many of Ana's private passages Ben finds by random questions."""
    _, questions = make_corpus()
    vocabulary = sorted({word for asked in questions for word in words_of(asked.question)})
    dice = random.Random(10)  # noqa: S311 - seeded
    seen = 0
    for _ in range(FOREIGN_QUERIES):
        words = dice.choices(vocabulary, k=3)
        vector = dice.randbytes(4 * 192)
        near = (bench.model.id, vector) if _is_finite(vector) else None
        hits = await search_passages(bench.database, Scope("ben"), words, near, TOP)
        seen += len(hits.by_vector) + len(hits.by_words) + len(hits.chunks)
    return seen


def _is_finite(vector: bytes) -> bool:
    return bool(np.isfinite(np.frombuffer(vector, "<f4")).all())


async def _speed(bench: Bench, sizes: Sequence[int]) -> list[Sequence[str]]:
    """Fill Ben's library up to each size with random passages and ask; milliseconds of search.

    The question's embedding is part of all but the words' time.
    """
    (sample,) = await bench.embedder.embed(["width"])
    dice, have = random.Random(3), 0  # noqa: S311 - seeded
    rows: list[Sequence[str]] = []
    letters = "abcdefghijklmnopqrstuvwxyz"
    vocabulary = ["".join(dice.choices(letters, k=7)) for _ in range(5_000)]
    for size in sizes:
        while have < size:
            count = min(1_000, size - have)
            await _fill(bench, dice, vocabulary, count, len(sample) // 4)
            have += count
        await _read_words(bench)
        ours, vectors, words = [], [], []
        for _ in range(QUERIES):
            chosen = dice.choices(vocabulary, k=6)
            found: Finding = await bench.retriever.find(
                " ".join(chosen), Scope("ben"), budget_tokens=BUDGET_TOKENS
            )
            ours.append(found.trace.search_seconds + found.trace.embed_seconds)
            vectors.append(await _plain_vectors(bench, " ".join(chosen)))
            words.append(await _plain_words(bench, chosen))
        figures = [f"{quantiles(ours, n=20)[9] * 1000:.1f} ms"]
        for times in (ours, vectors, words):
            figures.append(f"{quantiles(times, n=20)[18] * 1000:.1f} ms")
        rows.append((f"{size}", *figures, *await _beside_all(bench, len(sample) // 4)))
    return rows


async def _plain_vectors(bench: Bench, question: str) -> float:
    """Return the seconds in which all passages are compared with `question`."""
    began = time.perf_counter()
    (vector,) = await bench.embedder.embed([question])
    await bench.database.read(partial(_nearest, bench.model.id, vector, FEW_WANTED + 1))
    return time.perf_counter() - began


async def _plain_words(bench: Bench, words: Sequence[str]) -> float:
    """Return the seconds in which passages are found by `words` alone."""
    began = time.perf_counter()
    await search_passages(bench.database, Scope("ben"), words, None, TOP)
    return time.perf_counter() - began


async def _beside_all(bench: Bench, width: int) -> tuple[str, str]:
    """Return which part of the processor's time of comparing all vectors is needed, taking turns.

    And which part of the ten that are then nearest is found.
    """
    vectors = np.random.default_rng(7).normal(size=(COMPARED, width)).astype("<f4")
    used, same = {CANDIDATES: 0.0, FEW_WANTED + 1: 0.0}, []
    for vector in vectors:
        best = []
        for limit in used:
            work = partial(_nearest, bench.model.id, vector.tobytes(), limit)
            began = time.process_time()
            hits = await bench.database.read(work)
            used[limit] += time.process_time() - began
            best.append({hit.number for hit in hits[:10]})
        same.append(len(best[0] & best[1]) / 10)
    return f"{used[CANDIDATES] / used[FEW_WANTED + 1]:.2f}", f"{mean(same):.3f}"


def _nearest(model_id: str, vector: bytes, limit: int, connection: Connection) -> list[Hit]:
    return nearest(connection, model_id, ["ben"], None, vector, limit)


async def _fill(
    bench: Bench, dice: random.Random, vocabulary: Sequence[str], count: int, width: int
) -> None:
    vectors = np.random.default_rng(dice.randrange(1 << 30)).normal(size=(count, width))
    chunks = [
        Chunk(at, " ".join(dice.choices(vocabulary, k=60)), "", None, None, 60)
        for at in range(count)
    ]
    file = await bench.files.add(NewFile("ben", f"{new_id()}.txt", "", "private"))

    def work(connection: Connection) -> None:
        row = connection.execute(select(knowledge_file).where(knowledge_file.c.id == file.id)).one()
        packed = [vector.astype("<f4").tobytes() for vector in vectors]
        put_chunks(connection, row, bench.model.id, chunks, packed)

    await bench.database.write(work)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    print("| " + " | ".join(head) + " |")
    print("|" + " --- |" * len(head))
    for row in rows:
        print("| " + " | ".join(row) + " |")


if __name__ == "__main__":
    main()
