"""Assistants, who answers in a conversation, and memories."""

from typing import Annotated

from fastapi import Query
from fastapi.responses import StreamingResponse

from allerac.chat.library import Setting, Tried
from allerac.chat.prompt import Turn
from allerac.storage import assistants as stored

from .auth import Member, SignedIn
from .routing import API, router_at
from .schemas import assistants as shape
from .services import ServicesOf
from .sse import EVENT_STREAM_HEADERS, event_frames, with_pings

router = router_at(API, "assistants")


@router.get("/assistants", operation_id="listAssistants")
async def list_assistants(
    principal: SignedIn, services: ServicesOf, deleted: Annotated[bool, Query()] = False
) -> shape.Assistants:
    """List one's own and the household's; with `deleted`, one's own that can be restored."""
    person_id = principal.person.id
    found = await services.assistants.list(person_id, deleted=deleted)
    return shape.Assistants(items=[_shape(person_id, each) for each in found])


@router.post("/assistants", operation_id="createAssistant", status_code=201)
async def create_assistant(
    body: shape.CreateAssistant, principal: Member, services: ServicesOf
) -> shape.Assistant:
    """Make an assistant."""
    person_id = principal.person.id
    if body.template is not None:
        made = await services.assistants.from_template(person_id, body.template)
        changes = body.model_dump(exclude_unset=True, exclude={"template"})
        if changes:
            made = await services.assistants.change(person_id, made.id, changes)
        return _shape(person_id, made)
    values = {**body.model_dump(exclude={"template"}), "name": body.name or ""}
    return _shape(person_id, await services.assistants.create(person_id, values))


@router.post(
    "/assistants/trial",
    operation_id="tryAssistant",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}}},
)
async def try_assistant(
    body: shape.TryAssistant, principal: Member, services: ServicesOf
) -> StreamingResponse:
    """Answer as an assistant that is being written would; nothing of it is kept.

    Tells what a generation tells; `sources` have their number and text. Leaving ends the answer.
    """
    turns = [Turn(turn.role, turn.content) for turn in body.turns]
    events = await services.trials.answer(principal.person.id, _tried(body), turns)
    watched = services.accounts.while_signed_in(principal, event_frames(events))
    return StreamingResponse(
        with_pings(watched), media_type="text/event-stream", headers=EVENT_STREAM_HEADERS
    )


@router.get("/assistants/{assistant_id}", operation_id="getAssistant")
async def get_assistant(
    assistant_id: str, principal: SignedIn, services: ServicesOf
) -> shape.Assistant:
    """Tell about an assistant."""
    person_id = principal.person.id
    return _shape(person_id, await services.assistants.get(person_id, assistant_id))


@router.patch("/assistants/{assistant_id}", operation_id="updateAssistant")
async def update_assistant(
    assistant_id: str, body: shape.UpdateAssistant, principal: Member, services: ServicesOf
) -> shape.Assistant:
    """Change one's own assistant."""
    person_id = principal.person.id
    changes = body.model_dump(exclude_unset=True)
    return _shape(person_id, await services.assistants.change(person_id, assistant_id, changes))


@router.post(
    "/assistants/{assistant_id}/duplicate", operation_id="duplicateAssistant", status_code=201
)
async def duplicate_assistant(
    assistant_id: str, body: shape.DuplicateAssistant, principal: Member, services: ServicesOf
) -> shape.Assistant:
    """Make a private copy."""
    person_id = principal.person.id
    made = await services.assistants.duplicate(person_id, assistant_id, body.name)
    return _shape(person_id, made)


@router.delete("/assistants/{assistant_id}", operation_id="deleteAssistant", status_code=204)
async def delete_assistant(assistant_id: str, principal: Member, services: ServicesOf) -> None:
    """Delete; it can be restored."""
    await services.assistants.delete(principal.person.id, assistant_id)


@router.post("/assistants/{assistant_id}/restore", operation_id="restoreAssistant")
async def restore_assistant(
    assistant_id: str, principal: Member, services: ServicesOf
) -> shape.Assistant:
    """Undo a deletion."""
    person_id = principal.person.id
    return _shape(person_id, await services.assistants.restore(person_id, assistant_id))


@router.get("/conversations/{conversation_id}/scope", operation_id="getConversationScope")
async def get_scope(
    conversation_id: str, principal: SignedIn, services: ServicesOf
) -> shape.ConversationScope:
    """Tell who answers in a conversation, and where it looks."""
    await services.chat.get_conversation(principal.person.id, conversation_id)
    scope = await services.assistants.scope(principal.person.id, conversation_id)
    return shape.ConversationScope.model_validate(scope, from_attributes=True)


@router.put("/conversations/{conversation_id}/scope", operation_id="setConversationScope")
async def set_scope(
    conversation_id: str,
    body: shape.ConversationScope,
    principal: SignedIn,
    services: ServicesOf,
) -> shape.ConversationScope:
    """Decide who answers in a conversation; its model answers from then on."""
    person_id, scope = principal.person.id, stored.ConversationScope(**body.model_dump())
    conversation = await services.chat.get_conversation(person_id, conversation_id)
    before = await services.assistants.scope(person_id, conversation_id)
    await services.assistants.set_scope(person_id, conversation_id, scope)
    if scope.assistant_id != before.assistant_id:
        left = await services.assistants.model_of(person_id, before)
        asked = await services.assistants.model_of(person_id, scope)
        if asked is not None or left == conversation.model_id:
            await services.chat.update_conversation(person_id, conversation_id, model_id=asked)
    return body


@router.get("/memories", operation_id="listMemories")
async def list_memories(principal: SignedIn, services: ServicesOf) -> shape.Memories:
    """List what is remembered of oneself, and what is proposed."""
    person_id = principal.person.id
    found = await services.assistants.memories(person_id)
    return shape.Memories(
        enabled=await services.assistants.memories_enabled(person_id),
        items=[shape.Memory.model_validate(each) for each in found],
    )


@router.put("/memories/enabled", operation_id="enableMemories", status_code=204)
async def enable_memories(
    body: shape.EnableMemories, principal: SignedIn, services: ServicesOf
) -> None:
    """Switch memories on or off."""
    await services.assistants.enable_memories(principal.person.id, enabled=body.enabled)


@router.post("/memories", operation_id="createMemory", status_code=201)
async def create_memory(
    body: shape.CreateMemory, principal: SignedIn, services: ServicesOf
) -> shape.Memory:
    """Remember a fact."""
    made = await services.assistants.remember(principal.person.id, body.content)
    return shape.Memory.model_validate(made)


@router.patch("/memories/{memory_id}", operation_id="updateMemory")
async def update_memory(
    memory_id: str, body: shape.UpdateMemory, principal: SignedIn, services: ServicesOf
) -> shape.Memory:
    """Put it in other words, or confirm it."""
    changed = await services.assistants.change_memory(
        principal.person.id, memory_id, content=body.content, confirmed=body.confirmed
    )
    return shape.Memory.model_validate(changed)


@router.delete("/memories/{memory_id}", operation_id="deleteMemory", status_code=204)
async def delete_memory(memory_id: str, principal: SignedIn, services: ServicesOf) -> None:
    """Forget for good."""
    await services.assistants.forget(principal.person.id, memory_id)


def _tried(body: shape.TryAssistant) -> Tried:
    setting = Setting(
        instructions=body.instructions.strip() or None,
        model_id=body.model_id,
        temperature=body.temperature,
        max_tokens=body.max_tokens,
    )
    files = frozenset(body.file_ids) if body.is_narrowed else None
    return Tried(setting, body.uses_knowledge, files)


def _shape(person_id: str, record: stored.AssistantRecord) -> shape.Assistant:
    fields = {
        name: getattr(record, name) for name in shape.Assistant.model_fields if name != "mine"
    }
    return shape.Assistant(**{**fields, "mine": record.person_id == person_id})
