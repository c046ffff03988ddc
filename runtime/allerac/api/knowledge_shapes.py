"""Documents and what was found in them, from the services' records to the API's shapes."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from allerac.knowledge.reasons import REASONS
from allerac.knowledge.retrieval import Considered, Finding, Trace
from allerac.storage.knowledge import FileRecord
from allerac.storage.passages import StoredChunk

from .schemas import knowledge as shape
from .services import Services


def file_shape(services: Services, person_id: str, file: FileRecord) -> shape.KnowledgeFile:
    """Return a document as `person_id` sees it."""
    why, code = None, file.reason or services.knowledge.waits_for(file)
    if code is not None:
        reason = REASONS.get(code, REASONS["crashed"])
        why = shape.WhyFailed(code=code, message=reason.message, hint=reason.hint)
    return shape.KnowledgeFile(
        id=file.id,
        name=file.name,
        folder=file.folder,
        kind=file.kind,
        size_bytes=file.size_bytes or services.knowledge.arrived_bytes(file.id),
        visibility=file.visibility,
        mine=file.person_id == person_id,
        watched=file.origin == "watched",
        state=file.state,
        done=file.done,
        total=file.total,
        why=why,
        version=file.version,
        pages=file.pages,
        passages=file.chunks,
        used_by=file.used_by,
        created_at=file.created_at,
        updated_at=file.updated_at,
    )


def passage_shape(stored: StoredChunk, text: str) -> shape.KnowledgePassage:
    """Return a passage; `text` is all of it or the part that was read."""
    return shape.KnowledgePassage(
        number=stored.number,
        file_id=stored.file_id,
        file_name=stored.file_name,
        kind=stored.file_kind,
        position=stored.chunk.position,
        heading=stored.chunk.heading,
        first_page=stored.chunk.first_page,
        last_page=stored.chunk.last_page,
        text=text,
    )


async def result_shape(services: Services, person_id: str, found: Finding) -> shape.SearchResult:
    """Return passages and how they were found."""
    return shape.SearchResult(
        passages=[passage_shape(each.stored, each.text) for each in found.passages],
        trace=await trace_shape(services, person_id, found.trace),
    )


def kept_trace(kept: Mapping[str, Any]) -> Trace:
    """Return a trace as it was kept."""
    names = {field.name for field in fields(Trace)} - {"considered"}
    return Trace(
        **{name: kept[name] for name in names},
        considered=tuple(Considered(**each) for each in kept["considered"]),
    )


async def sources_shape(
    services: Services, person_id: str, traces: Mapping[str, Any]
) -> list[shape.AnswerSources]:
    """Return the sources of answers without what is gone; they keep their numbers."""
    numbers = {used["chunk"] for trace in traces.values() for used in trace["used"]}
    chunks = await services.knowledge.chunks(person_id, sorted(numbers))
    return [
        shape.AnswerSources(
            message_id=answer_id,
            sources=[
                _source(number, chunks[used["chunk"]], used)
                for number, used in enumerate(trace["used"], start=1)
                if used["chunk"] in chunks
            ],
        )
        for answer_id, trace in traces.items()
    ]


def _source(number: int, stored: StoredChunk, used: Mapping[str, int]) -> shape.Source:
    return shape.Source(
        number=number,
        passage=stored.number,
        position=stored.chunk.position,
        file_id=stored.file_id,
        file_name=stored.file_name,
        kind=stored.file_kind,
        heading=stored.chunk.heading,
        first_page=stored.chunk.first_page,
        last_page=stored.chunk.last_page,
        text=stored.chunk.content[used["start"] : used["end"]],
    )


async def trace_shape(services: Services, person_id: str, trace: Trace) -> shape.SearchTrace:
    """Return a trace without what the person may no longer read or what is gone."""
    numbers = [each.chunk for each in trace.considered]
    chunks = await services.knowledge.chunks(person_id, numbers)
    considered = [
        shape.ConsideredPassage(
            number=each.chunk,
            file_id=each.file_id,
            file_name=chunks[each.chunk].file_name,
            heading=chunks[each.chunk].chunk.heading,
            first_page=chunks[each.chunk].chunk.first_page,
            verdict=each.verdict,
            vector_rank=each.vector_rank,
            word_rank=each.word_rank,
            similarity=each.similarity,
            coverage=each.coverage,
        )
        for each in trace.considered
        if each.chunk in chunks
    ]
    return shape.SearchTrace(
        question=trace.question,
        words=list(trace.words),
        by_meaning=trace.model_id is not None,
        considered=considered,
        embed_seconds=trace.embed_seconds,
        search_seconds=trace.search_seconds,
    )
