"""Whether a database is sound, asked of SQLite on a connection of its own.

Run as a program it prints what is wrong with the file it is given.
"""

import sys
from pathlib import Path

import pysqlite3.dbapi2 as driver

CHECKS = ("PRAGMA integrity_check", "PRAGMA foreign_key_check")
CHECK_FULL_TEXT = "INSERT INTO search_text (search_text, rank) VALUES ('integrity-check', 1)"
NOT_SEARCHABLE = "SELECT id FROM message WHERE id NOT IN (SELECT source_id FROM searchable)"


def damage_of(file: Path) -> list[str]:
    """Return what is wrong with the file and its full-text index; raises what SQLite raises."""
    connection = driver.connect(str(file), isolation_level=None)
    try:
        connection.execute(CHECK_FULL_TEXT)
        rows = [str(row) for check in CHECKS for row in connection.execute(check)]
        return [row for row in rows if row != "('ok',)"]
    finally:
        connection.close()


def not_searchable(file: Path) -> list[str]:
    """Return the messages that the full-text index does not have."""
    connection = driver.connect(str(file))
    try:
        return [message_id for (message_id,) in connection.execute(NOT_SEARCHABLE)]
    finally:
        connection.close()


if __name__ == "__main__":
    sys.stdout.write("".join(f"{row}\n" for row in damage_of(Path(sys.argv[1]))))
