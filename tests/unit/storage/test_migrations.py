"""Steps of the schema only add: the version before reads and writes what a newer one left."""

import re
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import Connection

from allerac.storage.migrations import STEPS
from allerac.storage.sqlite import open_writer

Columns = dict[tuple[str, str], tuple[str, bool]]
"""Table and column → type, and whether a row has to name a value for it."""

REBUILT: Final = re.compile(r"_text_")
"""What FTS5 keeps behind an index, which is made anew where it is missing."""


def _columns(connection: Connection) -> Columns:
    """Return all columns of the tables proper."""
    names = connection.exec_driver_sql(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'"
        " AND name NOT LIKE 'sqlite_%'"
    ).scalars()
    found: Columns = {}
    for table in names.all():
        if REBUILT.search(table):
            continue
        rows = connection.exec_driver_sql(f"PRAGMA table_info('{table}')")
        for _, column, kind, not_null, default, key in rows:
            found[table, column] = (kind, bool(not_null and default is None and not key))
    return found


def _broken(before: Columns, after: Columns) -> list[str]:
    """Return what a version that knows `before` could not do with `after`."""
    told = [f"{table}.{column} is gone" for table, column in before.keys() - after.keys()]
    told += [
        f"{table}.{column} was {before[table, column]}, is {after[table, column]}"
        for table, column in before.keys() & after.keys()
        if before[table, column] != after[table, column]
    ]
    tables = {table for table, _ in before}
    told += [
        f"{table}.{column} is new and has to be named"
        for (table, column), (_, is_needed) in after.items()
        if (table, column) not in before and table in tables and is_needed
    ]
    return told


@pytest.mark.parametrize("number", range(1, len(STEPS)))
def test_a_step_takes_nothing_that_the_version_before_needs(tmp_path: Path, number: int) -> None:
    engine = open_writer(tmp_path / "allerac.sqlite")
    with engine.begin() as connection:
        for step in STEPS[:number]:
            step(connection)
        before = _columns(connection)
        STEPS[number](connection)
        assert _broken(before, _columns(connection)) == []
    engine.dispose()


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("ALTER TABLE person DROP COLUMN language", "person.language is gone"),
        ("ALTER TABLE person RENAME COLUMN language TO tongue", "person.language is gone"),
        ("DROP TABLE summary", "is gone"),
        ("ALTER TABLE person ADD COLUMN colour TEXT NOT NULL DEFAULT ''", ""),
    ],
)
def test_a_step_that_takes_something_would_be_found(tmp_path: Path, sql: str, told: str) -> None:
    engine = open_writer(tmp_path / "allerac.sqlite")
    with engine.begin() as connection:
        for step in STEPS:
            step(connection)
        before = _columns(connection)
        connection.exec_driver_sql(sql)
        found = _broken(before, _columns(connection))
    engine.dispose()
    assert bool(found) == bool(told)
    assert not told or any(told in line for line in found)
