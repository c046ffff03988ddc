"""Summaries that stand for the beginning of a branch.

A summary belongs to the message that it ends with. Messages never change and what is above one is
always the same, so it holds for every branch through that message and for no other.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, delete, insert, select

from .tables import summary


@dataclass(frozen=True, slots=True)
class SummaryRecord:
    """What `message_count` messages say, from `from_id` down to `until_id`."""

    from_id: str
    until_id: str
    message_count: int
    content: str
    model_id: str
    created_at: datetime


def summaries_of(connection: Connection, conversation_id: str) -> dict[str, SummaryRecord]:
    """Return a conversation's summaries by the message that each ends with."""
    query = select(summary).where(summary.c.conversation_id == conversation_id)
    return {
        row.until_id: SummaryRecord(
            from_id=row.from_id,
            until_id=row.until_id,
            message_count=row.message_count,
            content=row.content,
            model_id=row.model_id,
            created_at=datetime.fromtimestamp(row.created_at / 1000, UTC),
        )
        for row in connection.execute(query)
    }


def put_summary(connection: Connection, conversation_id: str, record: SummaryRecord) -> None:
    """Store a summary in place of one that ends with the same message."""
    connection.execute(delete(summary).where(summary.c.until_id == record.until_id))
    connection.execute(
        insert(summary).values(
            until_id=record.until_id,
            conversation_id=conversation_id,
            from_id=record.from_id,
            message_count=record.message_count,
            content=record.content,
            model_id=record.model_id,
            created_at=int(record.created_at.timestamp() * 1000),
        )
    )
