"""Titles and messages by their words, in FTS5 (https://sqlite.org/fts5.html), and by meaning."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, bindparam, delete, func, insert, select, text

from .fusion import fuse
from .message_vectors import Near, near_conversations, newest_vector
from .pages import Page, bad_cursor, decode_cursor, encode_cursor
from .tables import searchable

OPEN, CLOSE = "\x02", "\x03"
"""Marks around hits; control characters never occur in what is indexed."""

SNIPPET_TOKENS = 24
MAX_WORDS = 16


Archived = Literal["exclude", "include", "only"]


@dataclass(frozen=True, slots=True)
class Snippet:
    """A found passage; `marks` are [start, end) positions in `text`, in code points.

    One that was found `by_meaning` lacks words of the query, and has no marks.
    """

    text: str
    marks: list[tuple[int, int]]
    by_meaning: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """A conversation and the best passage in it."""

    conversation_id: str
    snippet: Snippet


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
    connection: Connection,
    person_id: str,
    query: str,
    *,
    near: Near | None = None,
    archived: Archived = "exclude",
    cursor: str | None = None,
    limit: int,
) -> Page[Found]:
    """Return this person's conversations that have every word of `query` or are `near`, best first.

    What is written after the first page appears in none that follow it.
    """
    words = _quoted(query)
    place = _place(connection, cursor)
    if not words:
        return Page([])
    by_words = _by_words(connection, person_id, words, archived, place.newest)
    by_meaning: Mapping[str, str] = {}
    if near is not None:
        by_meaning = near_conversations(
            connection, person_id, near, archived=archived, newest=place.newest_vector
        )
    found = [conversation for conversation, _ in fuse([[*by_words], [*by_meaning]])]
    end = place.skipped + limit
    shown = found[place.skipped : end]
    passages = _passages(connection, words, [by_words[each] for each in shown if each in by_words])
    items = [
        Found(
            each,
            passages[by_words[each]]
            if each in by_words
            else Snippet(" ".join(by_meaning[each].split()), [], by_meaning=True),
        )
        for each in shown
    ]
    return Page(items, place.following(end) if len(found) > end else None)


@dataclass(frozen=True, slots=True)
class _Place:
    """How many conversations were shown, and what was the newest when the first one was."""

    skipped: int
    newest: int
    newest_vector: int

    def following(self, skipped: int) -> str:
        """Return the cursor of the page that begins after `skipped`."""
        return encode_cursor((skipped, self.newest, self.newest_vector))


def _by_words(
    connection: Connection, person_id: str, words: str, archived: Archived, newest: int
) -> Mapping[str, int]:
    """Return conversations with the row of their best passage, best first."""
    parameters = {"words": words, "person": person_id, "archived": archived, "newest": newest}
    rows = connection.execute(text(_BEST), parameters)
    return {row.conversation: row.number for row in rows}


_BEST = """
WITH hit AS MATERIALIZED (
    SELECT rowid AS number, rank AS score FROM search_text WHERE search_text MATCH :words
), ranked AS (
    SELECT c.id AS conversation, hit.number, hit.score, row_number() OVER (
        PARTITION BY c.id ORDER BY hit.score, hit.number
    ) AS place
    FROM hit JOIN searchable s ON s.id = hit.number JOIN conversation c ON c.id = s.conversation_id
    WHERE c.person_id = :person AND c.deleted_at IS NULL AND s.id <= :newest
    AND (:archived = 'include' OR (c.archived_at IS NOT NULL) = (:archived = 'only'))
)
SELECT conversation, number FROM ranked WHERE place = 1
ORDER BY score, conversation
"""
"""FTS5's functions work on its own rows only: the best are chosen first, snippets come after."""


def _place(connection: Connection, cursor: str | None) -> _Place:
    if cursor is None:
        newest = connection.scalar(select(func.max(searchable.c.id))) or 0
        return _Place(0, newest, newest_vector(connection))
    keys = decode_cursor(cursor, length=3)
    if not all(isinstance(key, int) and key >= 0 for key in keys):
        raise bad_cursor()
    return _Place(*keys)


def _passages(connection: Connection, words: str, numbers: list[int]) -> dict[int, Snippet]:
    query = text(
        "SELECT rowid AS number, snippet(search_text, 0, :open, :close, '…', :tokens) AS passage "
        "FROM search_text WHERE search_text MATCH :words AND rowid IN :numbers"
    ).bindparams(bindparam("numbers", expanding=True))
    marks = {"open": OPEN, "close": CLOSE, "tokens": SNIPPET_TOKENS}
    rows = connection.execute(query, {**marks, "words": words, "numbers": numbers})
    return {row.number: _snippet(row.passage) for row in rows}


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
