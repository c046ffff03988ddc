"""How the passages for an answer were found."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from allerac.errors import NotFound

from .conversation_rows import milliseconds
from .database import Database
from .knowledge_tables import answer_trace
from .tables import conversation, message


class TraceStore:
    """The table `answer_trace`: plain JSON, one for each answer, seen by its person only."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def save(self, person_id: str, answer_id: str, trace: Mapping[str, Any]) -> None:
        """Keep a trace in place of an earlier one."""

        def work(connection: Connection) -> None:
            connection.execute(delete(answer_trace).where(answer_trace.c.message_id == answer_id))
            connection.execute(
                insert(answer_trace).values(
                    message_id=answer_id,
                    person_id=person_id,
                    trace=dict(trace),
                    created_at=milliseconds(datetime.now(UTC)),
                )
            )

        await self._database.write(work)

    async def load(self, person_id: str, answer_ids: Sequence[str]) -> Mapping[str, Any]:
        """Return the traces of these answers by their ids."""
        query = select(answer_trace.c.message_id, answer_trace.c.trace).where(
            answer_trace.c.message_id.in_(answer_ids), answer_trace.c.person_id == person_id
        )
        return await self._database.read(
            lambda connection: {row.message_id: row.trace for row in connection.execute(query)}
        )

    async def of_conversation(self, person_id: str, conversation_id: str) -> Mapping[str, Any]:
        """Return all traces of a conversation by their answers' ids. Raises `NotFound`."""
        owner = select(conversation.c.person_id).where(conversation.c.id == conversation_id)
        query = (
            select(answer_trace.c.message_id, answer_trace.c.trace)
            .join(message, message.c.id == answer_trace.c.message_id)
            .where(
                message.c.conversation_id == conversation_id,
                answer_trace.c.person_id == person_id,
            )
            .order_by(answer_trace.c.message_id)
        )

        def work(connection: Connection) -> Mapping[str, Any]:
            if connection.scalar(owner) != person_id:
                raise NotFound("There is no such conversation.")
            return {row.message_id: row.trace for row in connection.execute(query)}

        return await self._database.read(work)
