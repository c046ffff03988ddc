"""The tables are the same on SQLite and on PostgreSQL."""

import pytest
from sqlalchemy import create_mock_engine
from sqlalchemy.sql.ddl import ExecutableDDLElement

from allerac.storage.tables import metadata


@pytest.mark.parametrize("address", ["sqlite://", "postgresql+psycopg://"])
def test_a_household_has_one_owner_and_many_others(address: str) -> None:
    statements: list[str] = []

    def note(element: ExecutableDDLElement, *_: object, **__: object) -> None:
        statements.append(str(element.compile(dialect=engine.dialect)))

    engine = create_mock_engine(address, note)
    metadata.create_all(engine, checkfirst=False)
    assert {one.partition(" ON ")[2] for one in statements if " WHERE " in one} == {
        "person (household_id) WHERE role = 'owner'",
        "message (status) WHERE status = 'streaming'",
    }
