"""The chat's library: assistants, memories and documents put together for one answer."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any, Final

import structlog

from allerac.assistants.asked import asked_to_remember, worth_proposing
from allerac.chat.library import Beginning, Brief, Question, Setting, Tried
from allerac.errors import AlleracError, NotFound
from allerac.knowledge.retrieval import Finding, Passage, Retriever
from allerac.knowledge.words import words_of
from allerac.storage.accounts import AccountStore
from allerac.storage.assistants import AssistantRecord, AssistantStore, ConversationScope
from allerac.storage.knowledge import KnowledgeStore
from allerac.storage.memories import MemoryStore
from allerac.storage.passages import Scope
from allerac.storage.traces import TraceStore

log = structlog.get_logger()

READING_SECONDS: Final = 20.0
"""What a person waits for the passages to be read before the first word."""
TOKENS_PER_SECOND: Final = 40.0
"""Until this box has been measured: an N100 with its usual model."""
LEAST_TOKENS, MOST_TOKENS = 300, 3_000
CONTEXT_SHARE: Final = 1 / 4
FEW_WORDS: Final = 3
MEMORIES: Final = 12
"""The newest are read, and always in the order in which they were kept."""


class Librarian:
    """Implements `allerac.chat.library.Library`. What fails here is missing, not the answer."""

    def __init__(
        self,
        *,
        people: AccountStore,
        assistants: AssistantStore,
        memories: MemoryStore,
        files: KnowledgeStore,
        traces: TraceStore,
        retriever: Retriever,
        prefill_speed: Callable[[], float | None],
    ) -> None:
        self._people = people
        self._assistants = assistants
        self._memories = memories
        self._files = files
        self._traces = traces
        self._retriever = retriever
        self._prefill_speed = prefill_speed

    async def setting(self, person_id: str, conversation_id: str) -> Setting:
        """See `Library.setting`."""
        _, assistant = await self._who(person_id, conversation_id)
        return _setting(assistant, await self._remembered(person_id))

    async def brief(self, question: Question) -> Brief:
        """See `Library.brief`."""
        scope, assistant = await self._who(question.person_id, question.conversation_id)
        await self._take_note(question)
        setting = _setting(assistant, await self._remembered(question.person_id))
        looks = scope.uses_knowledge and (assistant is None or assistant.uses_knowledge)
        files = frozenset(assistant.file_ids) if assistant and assistant.is_narrowed else None
        where = Scope(question.person_id, files, scope.folder)
        found = await self._search(question, where) if looks else None
        if found is None:
            return Brief(setting)
        finding, seconds = found
        await self._traces.save(question.person_id, question.answer_id, _kept(finding, seconds))
        passages = tuple(_as_read(passage) for passage in finding.passages)
        return Brief(setting, passages, {"passages": [*map(_told, finding.passages)]})

    async def rehearse(self, question: Question, tried: Tried) -> Brief:
        """See `Library.rehearse`."""
        setting = replace(tried.setting, memories=await self._remembered(question.person_id))
        where = Scope(question.person_id, tried.file_ids)
        found = await self._search(question, where) if tried.uses_knowledge else None
        if found is None:
            return Brief(setting)
        passages = found[0].passages
        told = [
            {**_told(passage), "number": number, "text": _as_read(passage)}
            for number, passage in enumerate(passages, 1)
        ]
        return Brief(setting, tuple(_as_read(passage) for passage in passages), {"passages": told})

    async def recall(
        self, person_id: str, answer_ids: Sequence[str]
    ) -> Mapping[str, tuple[str, ...]]:
        """See `Library.recall`; what was removed since is left out."""
        traces = await self._traces.load(person_id, answer_ids)
        numbers = {used["chunk"] for trace in traces.values() for used in trace["used"]}
        stored = await self._retriever.passages(person_id, sorted(numbers))
        recalled = {}
        for answer_id, trace in traces.items():
            passages = [
                Passage(chunk, chunk.chunk.content[used["start"] : used["end"]], used["start"])
                for used in trace["used"]
                if (chunk := stored.get(used["chunk"])) is not None
            ]
            recalled[answer_id] = tuple(map(_as_read, passages))
        return recalled

    async def beginnings(self, model_id: str) -> Sequence[Beginning]:
        """See `Library.beginnings`: everybody without an assistant, then the newest assistants."""
        plain: list[Beginning] = []
        assisted: list[tuple[datetime, Beginning]] = []
        for person in await self._people.people():
            if person.disabled:
                continue
            memories = await self._remembered(person.id)
            plain.append(Beginning(person.id, _setting(None, memories)))
            for assistant in await self._assistants.list(person.id):
                if assistant.instructions and assistant.model_id in (None, model_id):
                    one = Beginning(person.id, _setting(assistant, memories))
                    assisted.append((assistant.updated_at, one))
        assisted.sort(key=lambda item: item[0], reverse=True)
        return [*plain, *(one for _, one in assisted)]

    async def _who(
        self, person_id: str, conversation_id: str
    ) -> tuple[ConversationScope, AssistantRecord | None]:
        scope = await self._assistants.scope(person_id, conversation_id)
        if scope.assistant_id is None:
            return scope, None
        try:
            return scope, await self._assistants.get(person_id, scope.assistant_id)
        except NotFound:
            return scope, None  # no longer shared

    async def _remembered(self, person_id: str) -> tuple[str, ...]:
        if not await self._memories.is_enabled(person_id):
            return ()
        kept = [m for m in await self._memories.list(person_id) if m.state == "kept"]
        return tuple(m.content for m in reversed(kept[:MEMORIES]))

    async def _take_note(self, question: Question) -> None:
        """Keep what the person asks to keep, propose what they say of themselves."""
        if not await self._memories.is_enabled(question.person_id):
            return
        asked, said = asked_to_remember(question.text), worth_proposing(question.text)
        fact = asked or said
        if fact is None:
            return
        try:
            await self._memories.add(
                question.person_id,
                fact,
                state="kept" if asked else "proposed",
                conversation_id=question.conversation_id,
                message_id=question.answer_id,
            )
        except AlleracError as error:
            log.info("memory_not_kept", reason=error.code)

    async def _has_documents(self, person_id: str) -> bool:
        return bool((await self._files.page(person_id, limit=1)).items)

    async def _search(self, question: Question, where: Scope) -> tuple[Finding, float] | None:
        """Return what was found and the seconds that it took; None where nothing was searched."""
        if not await self._has_documents(question.person_id):
            return None
        began = time.monotonic()
        text = question.text
        if question.before and len(words_of(text)) < FEW_WORDS:
            text = f"{text}\n{question.before}"  # "and when?" says little by itself
        budget = self._budget(question.context_tokens)
        try:
            finding = await self._retriever.find(text, where, budget_tokens=budget)
        except AlleracError as error:
            log.warning("answered_without_documents", reason=error.message)
            return None
        return finding, round(time.monotonic() - began, 3)

    def _budget(self, context_tokens: int | None) -> int:
        speed = self._prefill_speed() or TOKENS_PER_SECOND
        tokens = max(LEAST_TOKENS, min(MOST_TOKENS, speed * READING_SECONDS))
        return int(min(tokens, (context_tokens or MOST_TOKENS) * CONTEXT_SHARE))


def _setting(assistant: AssistantRecord | None, memories: tuple[str, ...]) -> Setting:
    if assistant is None:
        return Setting(memories=memories)
    return Setting(
        instructions=assistant.instructions or None,
        model_id=assistant.model_id,
        memories=memories,
        temperature=assistant.temperature,
        max_tokens=assistant.max_tokens,
    )


def _as_read(passage: Passage) -> str:
    return passage.text


def _told(passage: Passage) -> dict[str, Any]:
    """Return a source as a browser shows it; its number is its place in the list."""
    stored = passage.stored
    return {
        "passage": stored.number,
        "position": stored.chunk.position,
        "file_id": stored.file_id,
        "file_name": stored.file_name,
        "kind": stored.file_kind,
        "heading": stored.chunk.heading,
        "first_page": stored.chunk.first_page,
        "last_page": stored.chunk.last_page,
    }


def _kept(finding: Finding, seconds: float) -> dict[str, Any]:
    """Return a trace as it is kept: without the text of any passage."""
    used = [
        {"chunk": each.stored.number, "start": each.start, "end": each.start + len(each.text)}
        for each in finding.passages
    ]
    return {**asdict(finding.trace), "used": used, "seconds": seconds}
