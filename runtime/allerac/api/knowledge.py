"""Documents: add, read, replace, search, remove. Guests have none."""

from typing import Annotated
from urllib.parse import quote

from fastapi import Path, Query, Request, Response
from fastapi.responses import FileResponse

from .auth import Member, SignedIn
from .knowledge_shapes import (
    file_shape,
    kept_trace,
    passage_shape,
    result_shape,
    sources_shape,
    trace_shape,
)
from .routing import API, router_at
from .schemas import knowledge as shape
from .schemas.shapes import Page
from .services import ServicesOf

router = router_at(f"{API}/knowledge", "knowledge")

Name = Annotated[str, Query(min_length=1, max_length=1000)]
Folder = Annotated[str, Query(max_length=200)]
PageNumber = Annotated[int, Path(ge=1, le=1_000_000)]

UPLOAD = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}
PNG: dict[int | str, dict[str, object]] = {200: {"content": {"image/png": {}}}}
BYTES: dict[int | str, dict[str, object]] = {200: {"content": {"application/octet-stream": {}}}}
SAFE_HEADERS = {"Content-Security-Policy": "default-src 'none'; sandbox"}
"""What people added is shown by no browser as a page of ours."""


@router.get("/files", operation_id="listKnowledgeFiles")
async def list_files(
    principal: Member,
    services: ServicesOf,
    folder: Annotated[str | None, Query(max_length=200)] = None,
    query: Annotated[str | None, Query(max_length=200)] = None,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 100,
) -> Page[shape.KnowledgeFile]:
    """List one's own documents and the household's, the newest first."""
    person_id = principal.person.id
    page = await services.knowledge.list_files(
        person_id, folder=folder, words=query, cursor=cursor, limit=limit
    )
    items = [file_shape(services, person_id, file) for file in page.items]
    return Page[shape.KnowledgeFile](items=items, next_cursor=page.next_cursor)


@router.post("/files", operation_id="addKnowledgeFile", status_code=201, openapi_extra=UPLOAD)
async def add_file(
    request: Request,
    principal: Member,
    services: ServicesOf,
    name: Name,
    folder: Folder = "",
    visibility: shape.Visibility = "private",
) -> shape.KnowledgeFile:
    """Add the document that is the body of the request."""
    person_id = principal.person.id
    file = await services.knowledge.add(
        person_id, name, request.stream(), folder=folder, visibility=visibility
    )
    return file_shape(services, person_id, file)


@router.get("/files/{file_id}", operation_id="getKnowledgeFile")
async def get_file(file_id: str, principal: Member, services: ServicesOf) -> shape.KnowledgeFile:
    """Tell about a document."""
    person_id = principal.person.id
    return file_shape(services, person_id, await services.knowledge.get(person_id, file_id))


@router.patch("/files/{file_id}", operation_id="updateKnowledgeFile")
async def update_file(
    file_id: str, body: shape.UpdateKnowledgeFile, principal: Member, services: ServicesOf
) -> shape.KnowledgeFile:
    """Rename it, put it into a folder, share it with the household or no longer."""
    person_id = principal.person.id
    changes = body.model_dump(exclude_unset=True)
    return file_shape(
        services, person_id, await services.knowledge.change(person_id, file_id, **changes)
    )


@router.delete("/files/{file_id}", operation_id="removeKnowledgeFile", status_code=204)
async def remove_file(file_id: str, principal: Member, services: ServicesOf) -> None:
    """Remove it for good: its bytes, its text, and what could find it."""
    await services.knowledge.remove(principal.person.id, file_id)


@router.put("/files/{file_id}/content", operation_id="replaceKnowledgeFile", openapi_extra=UPLOAD)
async def replace_file(
    file_id: str, request: Request, principal: Member, services: ServicesOf, name: Name
) -> shape.KnowledgeFile:
    """Put a new version in its place; the old one is found until the new one is ready."""
    person_id = principal.person.id
    file = await services.knowledge.replace(person_id, file_id, name, request.stream())
    return file_shape(services, person_id, file)


@router.get(
    "/files/{file_id}/content",
    operation_id="downloadKnowledgeFile",
    response_class=FileResponse,
    responses=BYTES,
)
async def download_file(file_id: str, principal: Member, services: ServicesOf) -> FileResponse:
    """Return the document as it was added, to be saved."""
    original = await services.knowledge.original(principal.person.id, file_id)
    disposition = f"attachment; filename*=UTF-8''{quote(original.name, safe='')}"
    return FileResponse(
        original.path,
        media_type="application/octet-stream",
        headers={**SAFE_HEADERS, "Content-Disposition": disposition},
    )


@router.post("/files/{file_id}/retry", operation_id="retryKnowledgeFile")
async def retry_file(file_id: str, principal: Member, services: ServicesOf) -> shape.KnowledgeFile:
    """Take a failed document in again."""
    person_id = principal.person.id
    return file_shape(services, person_id, await services.knowledge.retry(person_id, file_id))


@router.get("/files/{file_id}/passages", operation_id="listKnowledgePassages")
async def list_passages(
    file_id: str,
    principal: Member,
    services: ServicesOf,
    first: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
) -> shape.KnowledgePassages:
    """Return the document as the box reads it."""
    found = await services.knowledge.passages(
        principal.person.id, file_id, first=first, limit=limit + 1
    )
    items = [passage_shape(stored, stored.chunk.content) for stored in found[:limit]]
    following = found[limit].chunk.position if len(found) > limit else None
    return shape.KnowledgePassages(items=items, next_first=following)


@router.get(
    "/files/{file_id}/pages/{page}",
    operation_id="showKnowledgePage",
    response_class=Response,
    responses=PNG,
)
async def show_page(
    file_id: str, page: PageNumber, principal: Member, services: ServicesOf
) -> Response:
    """Return a page of a PDF as a picture."""
    picture = await services.knowledge.picture(principal.person.id, file_id, page)
    return Response(picture, media_type="image/png", headers=SAFE_HEADERS)


@router.post("/search", operation_id="searchKnowledge")
async def search(
    body: shape.SearchKnowledge, principal: Member, services: ServicesOf
) -> shape.SearchResult:
    """Search as a chat does, and tell how."""
    files = frozenset(body.file_ids) if body.file_ids is not None else None
    person_id = principal.person.id
    found = await services.knowledge.search(
        person_id, body.question, folder=body.folder, file_ids=files
    )
    return await result_shape(services, person_id, found)


@router.get("/conversations/{conversation_id}/sources", operation_id="listSources")
async def list_sources(
    conversation_id: str, principal: SignedIn, services: ServicesOf
) -> shape.ConversationSources:
    """Return what was read for the answers of one's own conversation."""
    person_id = principal.person.id
    traces = await services.knowledge.sources(person_id, conversation_id)
    return shape.ConversationSources(items=await sources_shape(services, person_id, traces))


@router.get("/answers/{message_id}/trace", operation_id="getAnswerTrace")
async def get_trace(
    message_id: str, principal: SignedIn, services: ServicesOf
) -> shape.AnswerTrace:
    """Tell what was searched for an answer, what was found, what was dropped and why."""
    person_id = principal.person.id
    kept = await services.knowledge.trace(person_id, message_id)
    trace = kept_trace(kept)
    return shape.AnswerTrace(
        trace=await trace_shape(services, person_id, trace),
        seconds=kept["seconds"],
        budget_tokens=trace.budget_tokens,
    )
