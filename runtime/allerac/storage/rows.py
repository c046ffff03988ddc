"""Rows in tables that grow with them: the files of the device, which no migration prepares.

`sqlite-utils` reads and writes them too. It is not used here because it loads numpy: a tenth of
a start, and 14 MB for as long as the runtime lives.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

TYPES: Final = {bool: "INTEGER", int: "INTEGER", float: "REAL", str: "TEXT"}


class Rows:
    """All tables of a connection; what is written lasts when it was written `together`.

    Names of tables, conditions and orders are the program's own.
    """

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    @contextmanager
    def together(self) -> Iterator[None]:
        """Write all or nothing."""
        with self._connection:
            yield

    def columns(self, table: str) -> list[str]:
        """Return the names of the columns; none when there is no such table."""
        return [row["name"] for row in self.query("SELECT name FROM pragma_table_info(?)", [table])]

    def keep(self, table: str, rows: Sequence[Mapping[str, Any]], key: Sequence[str] = ()) -> None:
        """Write `rows`, in place of those with the same `key`; what is missing there is made."""
        if not rows:
            return
        columns = list(dict.fromkeys(name for row in rows for name in row))
        self._make_room(
            table, {name: _type_of(row.get(name) for row in rows) for name in columns}, key
        )
        names = ", ".join(map(_quoted, columns))
        places = ", ".join("?" * len(columns))
        self._connection.executemany(
            f"INSERT OR REPLACE INTO {table} ({names}) VALUES ({places})",  # noqa: S608 - names are ours
            [[row.get(name) for name in columns] for row in rows],
        )

    def read(
        self,
        table: str,
        where: str = "TRUE",
        values: Sequence[Any] = (),
        *,
        order: str = "rowid",
        limit: int | None = None,
    ) -> list[dict[str, Any]]:
        """Return the rows; none when there is no such table."""
        if not self.columns(table):
            return []
        query = f"SELECT * FROM {table} WHERE {where} ORDER BY {order} LIMIT ?"  # noqa: S608 - names are ours
        return self.query(query, [*values, -1 if limit is None else limit])

    def query(self, query: str, values: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """Return the rows of any query."""
        cursor = self._connection.execute(query, values)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    def execute(self, statement: str, values: Sequence[Any] = ()) -> None:
        """Change rows."""
        self._connection.execute(statement, values)

    def _make_room(self, table: str, columns: Mapping[str, str], key: Sequence[str]) -> None:
        known = self.columns(table)
        if known:
            for name in columns.keys() - set(known):
                self.execute(f"ALTER TABLE {table} ADD COLUMN {_quoted(name)} {columns[name]}")
            return
        parts = [f"{_quoted(name)} {kind}" for name, kind in columns.items()]
        if key:
            parts.append(f"PRIMARY KEY ({', '.join(map(_quoted, key))})")
        self.execute(f"CREATE TABLE {table} ({', '.join(parts)})")


def _type_of(values: Iterable[object]) -> str:
    """Return how to declare a column of `values`; what only holds nothing may hold all."""
    return next((TYPES.get(type(value), "") for value in values if value is not None), "")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
