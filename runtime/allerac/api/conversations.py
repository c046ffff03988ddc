"""Conversations and their messages; each belongs to one person."""

from typing import Annotated, Literal

from fastapi import Query, Response

from .auth import SignedIn
from .routing import API, router_at
from .schemas import conversations as shape
from .schemas.shapes import Page
from .services import ServicesOf

router = router_at(API, "conversations")

Cursor = Annotated[str | None, Query(max_length=200)]
Limit = Annotated[int, Query(ge=1, le=200)]


@router.get("/conversations", operation_id="listConversations")
async def list_conversations(
    principal: SignedIn,
    services: ServicesOf,
    query: Annotated[str | None, Query(max_length=200)] = None,
    archived: Literal["exclude", "include", "only"] = "exclude",
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[shape.ConversationItem]:
    """List or search one's own conversations, pinned first, then the latest."""
    page = await services.chat.list_conversations(
        principal.person.id, query=query, archived=archived, cursor=cursor, limit=limit
    )
    return Page[shape.ConversationItem].model_validate(page)


@router.post("/conversations", operation_id="createConversation", status_code=201)
async def create_conversation(
    body: shape.CreateConversation, principal: SignedIn, services: ServicesOf
) -> shape.ConversationDetail:
    """Start a conversation."""
    detail = await services.chat.create_conversation(principal.person.id, model_id=body.model_id)
    return shape.ConversationDetail.model_validate(detail)


@router.get("/conversations/{conversation_id}", operation_id="getConversation")
async def get_conversation(
    conversation_id: str, principal: SignedIn, services: ServicesOf
) -> shape.ConversationDetail:
    """Tell about one conversation, and how full the model's context is."""
    detail = await services.chat.get_conversation(principal.person.id, conversation_id)
    return shape.ConversationDetail.model_validate(detail)


@router.patch("/conversations/{conversation_id}", operation_id="updateConversation")
async def update_conversation(
    conversation_id: str,
    body: shape.UpdateConversation,
    principal: SignedIn,
    services: ServicesOf,
) -> shape.ConversationDetail:
    """Rename, pin, archive, choose a branch, or leave out the beginning."""
    changes = body.model_dump(exclude_unset=True)
    detail = await services.chat.update_conversation(
        principal.person.id, conversation_id, **changes
    )
    return shape.ConversationDetail.model_validate(detail)


@router.delete(
    "/conversations/{conversation_id}", operation_id="deleteConversation", status_code=204
)
async def delete_conversation(
    conversation_id: str, principal: SignedIn, services: ServicesOf
) -> None:
    """Delete; it can be restored for 30 days."""
    await services.chat.delete_conversation(principal.person.id, conversation_id)


@router.post("/conversations/{conversation_id}/restore", operation_id="restoreConversation")
async def restore_conversation(
    conversation_id: str, principal: SignedIn, services: ServicesOf
) -> shape.ConversationDetail:
    """Undo a deletion."""
    detail = await services.chat.restore_conversation(principal.person.id, conversation_id)
    return shape.ConversationDetail.model_validate(detail)


@router.get("/conversations/{conversation_id}/messages", operation_id="listMessages")
async def list_messages(
    conversation_id: str,
    principal: SignedIn,
    services: ServicesOf,
    cursor: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 500,
) -> Page[shape.Message]:
    """List all branches, oldest message first."""
    page = await services.chat.list_messages(
        principal.person.id, conversation_id, cursor=cursor, limit=limit
    )
    return Page[shape.Message].model_validate(page)


@router.post(
    "/conversations/{conversation_id}/messages", operation_id="sendMessage", status_code=201
)
async def send_message(
    conversation_id: str, body: shape.SendMessage, principal: SignedIn, services: ServicesOf
) -> shape.Sent:
    """Send a message; the answer is made on the box, whoever listens."""
    sent = await services.chat.send(
        principal.person.id,
        conversation_id,
        content=body.content,
        parent_id=body.parent_id,
        client_id=body.client_id,
        model_id=body.model_id,
    )
    return shape.Sent.model_validate(sent)


@router.post("/conversations/{conversation_id}/context", operation_id="measureDraft")
async def measure_draft(
    conversation_id: str, body: shape.Draft, principal: SignedIn, services: ServicesOf
) -> shape.ContextGauge:
    """Tell how full the model's context would be with a draft as the next message."""
    gauge = await services.chat.measure_draft(principal.person.id, conversation_id, body.draft)
    return shape.ContextGauge.model_validate(gauge)


@router.post("/messages/{message_id}/regenerate", operation_id="regenerateMessage", status_code=201)
async def regenerate_message(
    message_id: str, principal: SignedIn, services: ServicesOf
) -> shape.Regenerated:
    """Answer once more, beside the answer there is."""
    answer = await services.chat.regenerate(principal.person.id, message_id)
    return shape.Regenerated(answer=shape.Message.model_validate(answer))


@router.put("/messages/{message_id}/rating", operation_id="rateMessage")
async def rate_message(
    message_id: str, body: shape.Rate, principal: SignedIn, services: ServicesOf
) -> shape.Message:
    """Say whether an answer was good."""
    message = await services.chat.rate(principal.person.id, message_id, body.rating)
    return shape.Message.model_validate(message)


@router.get(
    "/conversations/{conversation_id}/export",
    operation_id="exportConversation",
    response_class=Response,
    responses={200: {"content": {"text/markdown": {}, "application/json": {}}}},
)
async def export_conversation(
    conversation_id: str,
    principal: SignedIn,
    services: ServicesOf,
    format: Annotated[Literal["markdown", "json"], Query()] = "markdown",  # noqa: A002 - the query's public name
) -> Response:
    """Take a conversation along as a file."""
    export = await services.chat.export(principal.person.id, conversation_id, format)
    headers = {"Content-Disposition": f'attachment; filename="{export.filename}"'}
    return Response(export.body, media_type=export.media_type, headers=headers)
