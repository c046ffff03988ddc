"""What households' databases look like: the schemas that versions left, as SQL in `schemas/`.

A new step is recorded, and stays: `python -m tests.unit.storage.recorded_schema`.
"""

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pysqlite3.dbapi2 as driver

from allerac.storage.migrations import STEPS, migrate
from allerac.storage.sqlite import open_writer

FOLDER: Final = Path(__file__).with_name("schemas")
RECORDED: Final = tuple(sorted(int(file.stem) for file in FOLDER.glob("*.sql")))
"""After which steps schemas were recorded."""

REBUILT: Final = re.compile(r"_text_")
"""What FTS5 keeps behind an index, which is made anew where it is missing."""

LETTING_GO: Final = ("CASCADE", "SET NULL", "SET DEFAULT")


@dataclass(frozen=True, slots=True)
class Schema:
    """What a version relies on, and what it has to respect when it writes.

    `columns` has type and whether a row has to name a value, by table and column. Of `unique`
    columns of a table no value comes twice. A table of `holding` keeps rows of the other table from
    being removed, one of `refusing` has a trigger that may refuse a change.
    """

    columns: dict[tuple[str, str], tuple[str, bool]]
    unique: frozenset[tuple[str, str]]
    holding: frozenset[tuple[str, str]]
    refusing: frozenset[tuple[str, str]]

    @property
    def tables(self) -> frozenset[str]:
        """The tables proper."""
        return frozenset(table for table, _ in self.columns)


def schema_of(path: Path) -> Schema:
    """Look at a database."""
    connection = driver.connect(str(path))
    try:
        return _schema(connection)
    finally:
        connection.close()


def today(path: Path) -> Schema:
    """Make a database as new boxes have it, and return what it is."""
    engine = open_writer(path)
    migrate(engine, path)
    engine.dispose()
    return schema_of(path)


def as_recorded(path: Path, number: int) -> Schema:
    """Make a database as it was after step `number`, and return what it is."""
    connection = driver.connect(str(path))
    connection.executescript((FOLDER / f"{number:02}.sql").read_text("utf-8"))
    connection.execute(f"PRAGMA user_version={number}")
    connection.commit()
    connection.close()
    return schema_of(path)


def sql_of(path: Path) -> str:
    """Return what makes an empty database like the one at `path`."""
    connection = driver.connect(str(path))
    shadows = {row[1] for row in connection.execute("PRAGMA table_list") if row[2] == "shadow"}
    rows = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'"
        " ORDER BY CASE type WHEN 'table' THEN 0 WHEN 'index' THEN 1 ELSE 2 END, name"
    ).fetchall()
    connection.close()
    made = [sql for name, sql in rows if name not in shadows]
    return "".join(f"{_tidy(sql)};\n" for sql in made)


def _tidy(sql: str) -> str:
    return "\n".join(line.rstrip() for line in sql.replace("\t", "    ").splitlines())


def _schema(connection: driver.Connection) -> Schema:
    names = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'"
        " AND name NOT LIKE 'sqlite_%'"
    )
    tables = [name for (name,) in names.fetchall() if not REBUILT.search(name)]
    return Schema(
        columns={
            (table, column): (kind, bool(not_null and default is None and not key))
            for table in tables
            for _, column, kind, not_null, default, key in _told(connection, "table_info", table)
        },
        unique=frozenset(
            (table, ", ".join(str(part[2]) for part in _told(connection, "index_info", index[1])))
            for table in tables
            for index in _told(connection, "index_list", table)
            if index[2]
        ),
        holding=frozenset(
            (table, key[2])
            for table in tables
            for key in _told(connection, "foreign_key_list", table)
            if key[6] not in LETTING_GO
        ),
        refusing=frozenset(
            connection.execute(
                "SELECT tbl_name, name FROM sqlite_master"
                " WHERE type = 'trigger' AND sql LIKE '%RAISE(%'"
            ).fetchall()
        ),
    )


def _told(connection: driver.Connection, what: str, name: str) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = connection.execute(f"PRAGMA {what}('{name}')").fetchall()
    return rows


def record() -> Path:
    """Write today's schema down."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "allerac.sqlite"
        today(path)
        file = FOLDER / f"{len(STEPS):02}.sql"
        file.write_text(sql_of(path), "utf-8")
    return file


if __name__ == "__main__":
    record()
