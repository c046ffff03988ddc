"""Steps of the schema only add: the version before reads and writes what a newer one left."""

from pathlib import Path

import pysqlite3.dbapi2 as driver
import pytest

from allerac.storage.migrations import STEPS, migrate
from allerac.storage.sqlite import open_writer

from .recorded_schema import RECORDED, Schema, as_recorded, schema_of, today


def _broken(before: Schema, after: Schema) -> list[str]:
    """Return what a version that knows `before` could not do with `after`."""
    old, new = before.columns, after.columns
    told = [f"{table}.{column} is gone" for table, column in old.keys() - new.keys()]
    told += [
        f"{table}.{column} was {old[table, column]}, is {new[table, column]}"
        for table, column in old.keys() & new.keys()
        if old[table, column] != new[table, column]
    ]
    told += [
        f"{table}.{column} is new and has to be named"
        for table, column in new.keys() - old.keys()
        if table in before.tables and new[table, column][1]
    ]
    told += [
        f"{table} takes each {columns} only once"
        for table, columns in after.unique - before.unique
        if table in before.tables
    ]
    told += [
        f"{table} holds rows of {other}"
        for table, other in after.holding - before.holding
        if other in before.tables
    ]
    told += [
        f"{table} refuses by {name}"
        for table, name in after.refusing - before.refusing
        if table in before.tables
    ]
    return told


@pytest.mark.parametrize("number", RECORDED)
def test_a_household_gets_all_of_today_and_the_version_before_finds_all_of_its_own(
    tmp_path: Path, number: int
) -> None:
    path = tmp_path / "allerac.sqlite"
    before = as_recorded(path, number)
    engine = open_writer(path)
    migrate(engine, path)
    engine.dispose()
    after = schema_of(path)
    assert _broken(before, after) == []
    # What is no longer used may be left, as long as it is in nobody's way.
    assert _broken(today(tmp_path / "new.sqlite"), after) == []


def test_todays_schema_is_recorded_so_that_the_next_step_is_held_to_it(tmp_path: Path) -> None:
    assert RECORDED[0] == 1
    assert RECORDED[-1] == len(STEPS), "python -m tests.unit.storage.recorded_schema"
    recorded = as_recorded(tmp_path / "recorded.sqlite", len(STEPS))
    assert recorded == today(tmp_path / "today.sqlite")


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("ALTER TABLE person DROP COLUMN language", "person.language is gone"),
        ("ALTER TABLE person RENAME COLUMN language TO tongue", "person.language is gone"),
        ("DROP TABLE summary", "is gone"),
        ("CREATE UNIQUE INDEX one ON memory (content)", "memory takes each content only once"),
        ("CREATE TABLE hat (person_id TEXT REFERENCES person (id))", "hat holds rows of person"),
        (
            "CREATE TRIGGER no BEFORE DELETE ON person BEGIN SELECT RAISE(ABORT, 'no'); END",
            "person refuses by no",
        ),
        ("ALTER TABLE person ADD COLUMN colour TEXT NOT NULL DEFAULT ''", ""),
        ("CREATE TABLE hat (person_id TEXT REFERENCES person (id) ON DELETE CASCADE)", ""),
    ],
)
def test_a_step_that_takes_something_would_be_found(tmp_path: Path, sql: str, told: str) -> None:
    path = tmp_path / "allerac.sqlite"
    before = today(path)
    connection = driver.connect(str(path))
    connection.execute(sql)
    connection.commit()
    connection.close()
    found = _broken(before, schema_of(path))
    assert bool(found) == bool(told)
    assert not told or any(told in line for line in found)


def _copies(path: Path) -> list[str]:
    return sorted(file.name for file in path.parent.glob(f"{path.name}.before-*"))


def test_of_the_copies_that_are_made_before_steps_only_the_first_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "allerac.sqlite"
    as_recorded(path, 1)
    for number, kept in ((1, "2"), (len(STEPS) - 1, str(len(STEPS)))):
        connection = driver.connect(str(path))
        connection.execute(f"PRAGMA user_version={number}")
        connection.commit()
        connection.close()
        engine = open_writer(path)
        migrate(engine, path)
        engine.dispose()
        assert _copies(path) == [f"{path.name}.before-{kept}"]
    assert _broken(today(tmp_path / "new.sqlite"), schema_of(path)) == []
