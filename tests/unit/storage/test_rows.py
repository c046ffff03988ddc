"""Rows are kept in tables that grow with them, whoever made the file."""

from collections.abc import Iterator
from pathlib import Path

import pysqlite3.dbapi2 as driver
import pytest
from sqlite_utils import Database

from allerac.storage.rows import Rows


@pytest.fixture
def rows(tmp_path: Path) -> Iterator[Rows]:
    rows = Rows(driver.connect(str(tmp_path / "rows.sqlite")))
    yield rows
    rows.close()


def test_table_that_nobody_has_written_is_empty(rows: Rows) -> None:
    assert rows.columns("sample") == []
    assert rows.read("sample") == []
    rows.keep("sample", [])
    assert rows.columns("sample") == []


def test_columns_are_added_when_they_are_needed(rows: Rows) -> None:
    rows.keep("sample", [{"at": 1, "celsius": 40.0}], ["at"])
    rows.keep("sample", [{"at": 2, 'the "fan"': 900.0}], ["at"])
    assert rows.read("sample", order="at DESC") == [
        {"at": 2, "celsius": None, 'the "fan"': 900.0},
        {"at": 1, "celsius": 40.0, 'the "fan"': None},
    ]


def test_row_of_the_same_key_is_replaced(rows: Rows) -> None:
    rows.keep("start", [{"boot": "a", "steady": 1.5, "wall": 2.5}], ["boot", "steady"])
    rows.keep("start", [{"boot": "a", "steady": 1.5, "wall": 3.5}], ["boot", "steady"])
    assert rows.read("start", "boot = ?", ["a"], limit=5) == [
        {"boot": "a", "steady": 1.5, "wall": 3.5}
    ]


def test_column_that_only_held_nothing_takes_any_value_later(rows: Rows) -> None:
    rows.keep("issue", [{"id": "a", "ended_at": None}], ["id"])
    rows.keep("issue", [{"id": "a", "ended_at": 7}], ["id"])
    assert rows.read("issue", "ended_at >= ?", [6]) == [{"id": "a", "ended_at": 7}]


def test_what_is_written_together_is_written_whole_or_not(rows: Rows) -> None:
    def lose_all_and_fail() -> None:
        with rows.together():
            rows.execute("DELETE FROM sample")
            rows.execute("DELETE FROM nothing")

    with rows.together():
        rows.keep("sample", [{"at": 1}], ["at"])
    with pytest.raises(driver.OperationalError):
        lose_all_and_fail()
    assert rows.read("sample") == [{"at": 1}]


def test_file_that_sqlite_utils_made_is_gone_on_with(rows: Rows, tmp_path: Path) -> None:
    before = Database(tmp_path / "rows.sqlite")
    before["sample"].insert_all([{"at": 1, "celsius": 40.0}], pk="at")  # type: ignore[union-attr]  # a table, no view
    before.close()
    with rows.together():
        rows.keep("sample", [{"at": 1, "celsius": 41.0}, {"at": 2, "turns": 9.0}], ["at"])
    after = Database(tmp_path / "rows.sqlite")
    assert list(after["sample"].rows) == [
        {"at": 1, "celsius": 41.0, "turns": None},
        {"at": 2, "celsius": None, "turns": 9.0},
    ]
    after.close()
