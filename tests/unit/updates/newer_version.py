"""What a newer version might make of a database: more columns, more tables, more messages."""

from pathlib import Path
from typing import Any

import pysqlite3.dbapi2 as driver

from allerac.storage.ids import new_id
from allerac.storage.migrations import STEPS

EXPANSION = """
ALTER TABLE conversation ADD COLUMN colour TEXT;
ALTER TABLE conversation ADD COLUMN weight INTEGER NOT NULL DEFAULT 1;
ALTER TABLE message ADD COLUMN mood TEXT;
ALTER TABLE message ADD COLUMN stars INTEGER NOT NULL DEFAULT 0;
ALTER TABLE box ADD COLUMN room TEXT NOT NULL DEFAULT 'kitchen';
ALTER TABLE update_state ADD COLUMN hint TEXT;
ALTER TABLE update_history ADD COLUMN weather TEXT;
CREATE TABLE reminder (
    id VARCHAR(36) PRIMARY KEY,
    person_id VARCHAR(36) NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    text TEXT NOT NULL
);
CREATE INDEX reminder_of ON reminder (person_id);
"""

NEWER_SCHEMA = len(STEPS) + 1


class NewerVersion:
    """Opens the database in the way of a version that is one step ahead of ours."""

    def __init__(self, path: Path) -> None:
        self._connection = driver.connect(str(path), isolation_level=None)
        self._connection.execute("PRAGMA foreign_keys=ON")

    def migrate(self) -> None:
        """Take its step."""
        self._connection.executescript(
            f"BEGIN; {EXPANSION} PRAGMA user_version={NEWER_SCHEMA}; COMMIT"
        )

    def schema(self) -> int:
        """Return how many steps the database has taken."""
        return int(self._connection.execute("PRAGMA user_version").fetchone()[0])

    def write(self, conversation_id: str, content: str) -> str:
        """Add a question and its answer to the end of a conversation; return the answer's id."""
        leaf = self._connection.execute(
            "SELECT leaf_id FROM conversation WHERE id = ?", (conversation_id,)
        ).fetchone()[0]
        for role, text in (("user", content), ("assistant", f"About {content}")):
            leaf = self._message(conversation_id, leaf, role, text)
        self._connection.execute(
            "UPDATE conversation SET leaf_id = ?, colour = 'green' WHERE id = ?",
            (leaf, conversation_id),
        )
        return str(leaf)

    def remind(self, text: str) -> None:
        """Keep something in its own table, for everybody."""
        self._connection.execute(
            "INSERT INTO reminder SELECT lower(hex(randomblob(16))), id, ? FROM person", (text,)
        )

    def contents(self, conversation_id: str) -> list[str]:
        """Return what was written."""
        rows = self._connection.execute(
            "SELECT content FROM message WHERE conversation_id = ? ORDER BY created_at, id",
            (conversation_id,),
        )
        return [row[0] for row in rows]

    def reminders(self) -> list[str]:
        """Return what is kept there."""
        return [row[0] for row in self._connection.execute("SELECT text FROM reminder")]

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def _message(self, conversation_id: str, parent_id: str | None, role: str, text: str) -> str:
        row: dict[str, Any] = {
            "id": new_id(),
            "conversation_id": conversation_id,
            "parent_id": parent_id,
            "role": role,
            "content": text,
            "status": "complete",
            "sequence": 0,
            "created_at": 4_000_000_000_000,
            "updated_at": 4_000_000_000_000,
            "mood": "calm",
            "stars": 5,
        }
        columns, marks = ", ".join(row), ", ".join("?" * len(row))
        self._connection.execute(
            f"INSERT INTO message ({columns}) VALUES ({marks})",  # noqa: S608 - names of our own
            tuple(row.values()),
        )
        return str(row["id"])
