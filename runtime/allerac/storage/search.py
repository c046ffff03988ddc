"""Full text of titles and messages, by SQLite's FTS5 (https://sqlite.org/fts5.html)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, text

from .tables import searchable

OPEN, CLOSE = "\x02", "\x03"
"""Marks around hits; control characters never occur in what is indexed."""

SNIPPET_TOKENS = 24
MAX_WORDS = 16


@dataclass(frozen=True, slots=True)
class Snippet:
    """A found passage; `marks` are [start, end) positions in `text`."""

    text: str
    marks: list[tuple[int, int]]


def create_index(connection: Connection) -> None:
    """Create the index; its row numbers are those of the table `searchable`."""
    connection.exec_driver_sql(
        "CREATE VIRTUAL TABLE search_text USING fts5("
        "content, tokenize='unicode61 remove_diacritics 2')"
    )


def index_message(
    connection: Connection, message_id: str, conversation_id: str, content: str
) -> None:
    """Put a message's text into the index, in place of what was there."""
    _put(connection, message_id, conversation_id, content)


def index_title(connection: Connection, conversation_id: str, title: str) -> None:
    """Put a conversation's title into the index, in place of what was there."""
    _put(connection, conversation_id, conversation_id, title)


def unindex_conversation(connection: Connection, conversation_id: str) -> None:
    """Take everything of a conversation out of the index."""
    where = searchable.c.conversation_id == conversation_id
    for number in connection.scalars(select(searchable.c.id).where(where)).all():
        connection.execute(text("DELETE FROM search_text WHERE rowid = :row"), {"row": number})
    connection.execute(delete(searchable).where(where))


def find_conversations(
    connection: Connection, person_id: str, query: str, limit: int
) -> Iterator[tuple[str, Snippet]]:
    """Yield (conversation id, best passage) of this person's conversations, best first."""
    words = _quoted(query)
    if not words:
        return
    rows = connection.execute(
        text(
            "SELECT s.conversation_id AS found, "
            "snippet(search_text, 0, :open, :close, '…', :tokens) AS passage "
            "FROM search_text JOIN searchable s ON s.id = search_text.rowid "
            "JOIN conversation c ON c.id = s.conversation_id "
            "WHERE search_text MATCH :words AND c.person_id = :person "
            "AND c.deleted_at IS NULL ORDER BY search_text.rank LIMIT 1000"
        ),
        {
            "open": OPEN,
            "close": CLOSE,
            "tokens": SNIPPET_TOKENS,
            "words": words,
            "person": person_id,
        },
    )
    seen: set[str] = set()
    for row in rows:
        if row.found in seen:
            continue
        if len(seen) == limit:
            return
        seen.add(row.found)
        yield row.found, _snippet(row.passage)


def _put(connection: Connection, source_id: str, conversation_id: str, content: str) -> None:
    query = select(searchable.c.id).where(searchable.c.source_id == source_id)
    number = connection.scalar(query)
    if number is None:
        values = {"source_id": source_id, "conversation_id": conversation_id}
        number = connection.scalar(insert(searchable).values(**values).returning(searchable.c.id))
    else:
        connection.execute(text("DELETE FROM search_text WHERE rowid = :row"), {"row": number})
    plain = re.sub(r"[\x00-\x08\x0b-\x1f]", " ", content)
    connection.execute(
        text("INSERT INTO search_text (rowid, content) VALUES (:row, :content)"),
        {"row": number, "content": plain},
    )


def _quoted(query: str) -> str:
    """Return the words of `query` as FTS5 strings that must all occur; the last may go on."""
    words = re.findall(r"\w+", query)[:MAX_WORDS]
    return " ".join(f'"{word}"' for word in words) + ("*" if words else "")


def _snippet(passage: str) -> Snippet:
    plain, marks, start = "", [], 0
    for part in re.split(f"([{OPEN}{CLOSE}])", passage):
        if part == OPEN:
            start = len(plain)
        elif part == CLOSE:
            marks.append((start, len(plain)))
        else:
            plain += part
    return Snippet(plain, marks)
