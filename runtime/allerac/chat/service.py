"""Conversations of one person: list, send, branch, follow, stop."""

from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Literal

from allerac.engine.protocol import Engine
from allerac.errors import Conflict, EngineUnavailable, InvalidInput, NotFound, PayloadTooLarge
from allerac.events import Event, EventLogs
from allerac.storage.conversations import (
    Archived,
    ConversationItem,
    ConversationRecord,
    ConversationStore,
    MessageRecord,
)
from allerac.storage.pages import Page, is_text

from .context import Context, ContextGauge
from .export import Export, export_conversation
from .generation import INTERRUPTED, RETRY_SECONDS, SAVE_SECONDS, Generations, Job
from .history import History, history_of
from .idle import IdleWork
from .library import Library, NoLibrary, Question, Setting, with_passages
from .meaning import Meaning
from .prompt import INSTRUCTIONS
from .records import ConversationDetail, ModelResolver, Sent
from .sampling import sampling_of
from .summaries import Summariser
from .titles import TitleMaker
from .warmup import QUIET_SECONDS, Warmup

MAX_MESSAGE_CHARACTERS = 1_000_000
RESTORABLE_DAYS = 30


class ChatService:
    """Every method takes the caller's `person_id` and raises `NotFound` for what is not theirs."""

    def __init__(
        self,
        *,
        store: ConversationStore,
        engine: Engine,
        models: ModelResolver,
        logs: EventLogs,
        library: Library | None = None,
        meaning: Meaning | None = None,
        instructions: str = INSTRUCTIONS,
        may_warm_up: Callable[[], bool] = lambda: True,
        quiet_seconds: float = QUIET_SECONDS,
        save_seconds: float = SAVE_SECONDS,
        retry_seconds: float = RETRY_SECONDS,
    ) -> None:
        self._store = store
        self._models = models
        self._logs = logs
        self._library = library or NoLibrary()
        self._meaning = meaning
        self._context = Context(engine=engine, instructions=instructions)
        self._idle = IdleWork(engine)
        self._warmup = Warmup(
            engine=engine,
            idle=self._idle,
            context=self._context,
            library=self._library,
            may_run=may_warm_up,
            quiet_seconds=quiet_seconds,
        )
        self._titles = TitleMaker(store=store, idle=self._idle)
        self._summaries = Summariser(store=store, context=self._context, idle=self._idle)
        self._generations = Generations(
            store=store,
            engine=engine,
            models=models,
            logs=logs,
            prepare=self._prepare,
            on_complete=self._use_idle_time,
            save_seconds=save_seconds,
            retry_seconds=retry_seconds,
        )

    async def start(self, now: datetime) -> None:
        """Tidy up after the last run: what was being answered is interrupted."""
        await self._store.interrupt_streaming(INTERRUPTED)
        await self._store.purge_deleted(now - timedelta(days=RESTORABLE_DAYS))
        self._warmup.start()
        if self._meaning is not None:
            self._meaning.start()

    async def stop(self) -> None:
        """End and store everything that is running."""
        if self._meaning is not None:
            await self._meaning.stop()
        await self._warmup.stop()
        await self._idle.stop()
        await self._generations.close()

    def renew_beginnings(self) -> None:
        """Read again, when there is time, how conversations begin: somebody has changed it."""
        self._warmup.renew()

    async def list_conversations(
        self,
        person_id: str,
        *,
        query: str | None = None,
        archived: Archived = "exclude",
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page[ConversationItem]:
        """List, or search when `query` has words."""
        if query and query.strip():
            near = None if self._meaning is None else await self._meaning.near(query)
            return await self._store.search(
                person_id, query, near=near, archived=archived, cursor=cursor, limit=limit
            )
        return await self._store.page(person_id, archived=archived, cursor=cursor, limit=limit)

    async def create_conversation(
        self, person_id: str, *, model_id: str | None = None
    ) -> ConversationDetail:
        """Start an empty conversation. Raises `NotFound` for an unknown model."""
        self._check_model(model_id)
        return await self._detail(person_id, await self._store.create(person_id, model_id=model_id))

    async def get_conversation(self, person_id: str, conversation_id: str) -> ConversationDetail:
        """Return one conversation with its gauge."""
        return await self._detail(person_id, conversation_id)

    async def update_conversation(
        self, person_id: str, conversation_id: str, **changes: Any
    ) -> ConversationDetail:
        """Change `title`, `pinned`, `archived`, `leaf_id`, `context_from_id` or `model_id`."""
        self._check_model(changes.get("model_id"))
        await self._store.update(person_id, conversation_id, changes)
        return await self._detail(person_id, conversation_id)

    async def delete_conversation(self, person_id: str, conversation_id: str) -> None:
        """Delete; for good only after `RESTORABLE_DAYS`."""
        self._summaries.drop(conversation_id)
        for message_id in await self._store.set_deleted(person_id, conversation_id, deleted=True):
            await self._generations.stop(message_id)

    async def restore_conversation(
        self, person_id: str, conversation_id: str
    ) -> ConversationDetail:
        """Undo a deletion."""
        await self._store.set_deleted(person_id, conversation_id, deleted=False)
        return await self._detail(person_id, conversation_id)

    async def list_messages(
        self, person_id: str, conversation_id: str, *, cursor: str | None = None, limit: int = 500
    ) -> Page[MessageRecord]:
        """Return all branches, oldest message first."""
        return await self._store.messages(person_id, conversation_id, cursor=cursor, limit=limit)

    async def measure_draft(self, person_id: str, conversation_id: str, draft: str) -> ContextGauge:
        """Tell how full the context would be with `draft` as the next message."""
        record = await self._store.get(person_id, conversation_id)
        return await self._gauge(person_id, record, draft)

    async def send(
        self,
        person_id: str,
        conversation_id: str,
        *,
        content: str,
        parent_id: str | None,
        client_id: str,
        model_id: str | None = None,
    ) -> Sent:
        """Store a message and start its answer; the same `client_id` again changes nothing.

        Raises `InvalidInput` for an empty text or below a message that is no answer, `Conflict`
        below an answer that is being made, `PayloadTooLarge`, `QueueFull`, `NotFound`.
        """
        _check_content(content)
        already = await self._store.sent(person_id, conversation_id, client_id)
        if already is not None:
            return Sent(*already)
        self._check_model(model_id)
        with self._generations.place(person_id):
            conversation = await self._store.get(person_id, conversation_id)
            above = await self._store.path(person_id, parent_id)
            _check_parent(above)
            chosen = model_id or await self._model_of(person_id, conversation)
            message, answer, is_new = await self._store.send(
                person_id,
                conversation_id,
                content=content,
                parent_id=parent_id,
                client_id=client_id,
                model_id=chosen,
            )
            if is_new:
                self._start(person_id, conversation, [*above, message], answer)
        return Sent(message, answer)

    async def regenerate(self, person_id: str, message_id: str) -> MessageRecord:
        """Start another answer beside `message_id`. Raises `Conflict` for a person's message."""
        old = await self._store.message(person_id, message_id)
        if old.role != "assistant" or old.parent_id is None:
            raise Conflict("Only an answer can be made again.")
        with self._generations.place(person_id):
            conversation = await self._store.get(person_id, old.conversation_id)
            path = await self._store.path(person_id, old.parent_id)
            chosen = await self._model_of(person_id, conversation)
            answer = await self._store.add_answer(person_id, old.parent_id, model_id=chosen)
            self._start(person_id, conversation, path, answer)
        return answer

    async def rate(
        self, person_id: str, message_id: str, rating: Literal["up", "down"] | None
    ) -> MessageRecord:
        """Keep whether an answer was good."""
        return await self._store.rate(person_id, message_id, rating)

    async def stop_generation(self, person_id: str, generation_id: str) -> None:
        """Stop an answer and return when it has ended; nothing happens when it had already."""
        answer = await self._store.message(person_id, generation_id)
        self._summaries.drop(answer.conversation_id)
        await self._generations.stop(generation_id)

    async def open_events(
        self, person_id: str, generation_id: str, after: int
    ) -> AsyncIterator[Event]:
        """Return the events above `after`; replayed from the row when the log is gone."""
        answer = await self._store.message(person_id, generation_id)
        if answer.role != "assistant":
            raise NotFound("There is no such answer.")
        events = self._logs.get(generation_id)
        return events.follow(after) if events is not None else _replay(answer, after)

    async def export(
        self, person_id: str, conversation_id: str, form: Literal["markdown", "json"]
    ) -> Export:
        """Return the conversation as a file."""
        conversation = await self._store.get(person_id, conversation_id)
        branch = await self._store.path(person_id, conversation.leaf_id)
        everything = await self._store.messages(person_id, conversation_id, limit=100_000)
        return export_conversation(conversation, branch, everything.items, form)

    def _start(
        self,
        person_id: str,
        conversation: ConversationRecord,
        path: list[MessageRecord],
        answer: MessageRecord,
    ) -> None:
        """Begin `answer` to `path`. Nothing is awaited: a stored answer is always being made."""
        model_id = answer.model_id or ""
        history = history_of(path, conversation.context_from_id)
        job = Job(
            answer_id=answer.id,
            conversation_id=answer.conversation_id,
            person_id=person_id,
            model_id=model_id,
            history=history,
            messages=self._context.compile(history),
            sampling=sampling_of(self._models, model_id),
        )
        self._summaries.drop(answer.conversation_id)
        self._idle.give_way()
        self._generations.start(job)

    async def _prepare(self, job: Job) -> Job:
        """Give the model what it needs for its answer, and no more than it can read."""
        *_, asked = job.history.turns
        earlier = [turn.content for turn in job.history.turns[:-1] if turn.role == "user"]
        brief = await self._library.brief(
            Question(
                person_id=job.person_id,
                conversation_id=job.conversation_id,
                answer_id=job.answer_id,
                text=asked.content,
                before=earlier[-1] if earlier else "",
                context_tokens=self._context.limit_tokens,
            )
        )
        history = await self._as_read(job.person_id, job.history, brief.setting, brief.passages)
        sampling = sampling_of(self._models, job.model_id, brief.setting)
        messages = self._context.compile(history)
        return await self._fit(
            replace(
                job, history=history, messages=messages, sampling=sampling, sources=brief.sources
            )
        )

    async def _as_read(
        self, person_id: str, history: History, setting: Setting, newest: tuple[str, ...] = ()
    ) -> History:
        """Return `history` with the passages that stood before its answers."""
        answers = [turn.message_id for turn in history.turns if turn.role == "assistant"]
        found = await self._library.recall(person_id, answers) if answers else {}
        turns = with_passages(history.turns, found, newest)
        return replace(history, turns=turns, setting=setting)

    async def _fit(self, job: Job) -> Job:
        """Leave out the beginning where it does not fit, with the mark that a person sets too."""
        history = await self._context.fit(job.history, job.model_id)
        if history is job.history:
            return job
        mark = {"context_from_id": history.turns[0].message_id}
        await self._store.update(job.person_id, job.conversation_id, mark)
        return replace(job, history=history, messages=self._context.compile(history))

    def _use_idle_time(self, job: Job) -> None:
        self._titles.consider(job)
        self._summaries.consider(job)
        self._warmup.renew()  # something may have been remembered
        if self._meaning is not None:
            self._meaning.wake()

    def _check_model(self, model_id: str | None) -> None:
        if model_id is not None:
            self._models.require_known(model_id)

    async def _model_of(self, person_id: str, conversation: ConversationRecord) -> str:
        """Return which model answers: the household's where an assistant asks for one in vain."""
        chosen = conversation.model_id
        if chosen is not None and not self._models.serves(chosen):
            setting = await self._library.setting(person_id, conversation.id)
            chosen = None if setting.model_id is not None else chosen
        return chosen or await self._models.default_model_id()

    async def _detail(self, person_id: str, conversation_id: str) -> ConversationDetail:
        record = await self._store.get(person_id, conversation_id)
        return ConversationDetail.of(record, await self._gauge(person_id, record, ""))

    async def _gauge(self, person_id: str, record: ConversationRecord, draft: str) -> ContextGauge:
        branch = await self._store.path(person_id, record.leaf_id)
        setting = await self._library.setting(person_id, record.id)
        history = history_of(branch, record.context_from_id)
        history = await self._as_read(person_id, history, setting)
        model_id = record.model_id or ""
        if not model_id:
            with suppress(EngineUnavailable):  # without a model on board there is an estimate
                model_id = await self._models.default_model_id()
        return await self._context.gauge(history, draft, model_id)


def _check_content(content: str) -> None:
    if len(content) > MAX_MESSAGE_CHARACTERS:
        raise PayloadTooLarge(
            f"A message may have up to {MAX_MESSAGE_CHARACTERS:,} characters.",
            hint="Send it in parts.",
        )
    if not content.strip():
        raise InvalidInput("The message is empty.", fields={"content": "must not be empty"})
    if not is_text(content):
        raise InvalidInput("The message has broken characters.", fields={"content": "is not text"})


def _check_parent(path: list[MessageRecord]) -> None:
    if not path:
        return
    if path[-1].role != "assistant":
        raise InvalidInput("A message follows an answer.", fields={"parent_id": "is not an answer"})
    if path[-1].status == "streaming":
        raise Conflict("The answer before is still being made.", hint="Wait for it, or stop it.")


async def _replay(answer: MessageRecord, after: int) -> AsyncIterator[Event]:
    """Tell the end of an answer whose log is gone: its text for whoever lacks it, then how it went.

    After a crash a follower may have seen more than was stored, so the text is told again.
    """
    crashed = answer.status == "interrupted"
    last = max(answer.sequence, after + 2) if crashed else answer.sequence
    if after < last - 1 or crashed:
        yield Event(last - 1, "snapshot", {"text": answer.content})
    if after >= last:
        return
    if answer.error is not None:
        yield Event(last, "error", {"retriable": True, **answer.error})
    else:
        usage = answer.usage
        reason = "cancelled" if answer.status == "stopped" else "stop"
        data = {"status": answer.status, "finish_reason": reason, "usage": usage}
        yield Event(last, "done", data)
