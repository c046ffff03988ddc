"""Models elsewhere that the owner has added; their keys are sealed before they come here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import delete, insert, select, update

from allerac.errors import NotFound

from .database import Database
from .tables import remote_model


@dataclass(frozen=True, slots=True)
class RemoteModelRecord:
    """A model at `base_url`, called `model` there; `sealed_key` None sends no key."""

    id: str
    title: str
    base_url: str
    model: str
    sealed_key: str | None
    allow_private: bool
    enabled: bool
    created_at: int


class RemoteModelStore:
    """The table `remote_model`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(self) -> Sequence[RemoteModelRecord]:
        """Return all, the oldest first."""
        query = select(remote_model).order_by(remote_model.c.id)
        return await self._database.read(
            lambda connection: [
                RemoteModelRecord(**{f.name: row[f.name] for f in fields(RemoteModelRecord)})
                for row in connection.execute(query).mappings()
            ]
        )

    async def add(self, record: RemoteModelRecord) -> None:
        """Add a row."""
        values = {field.name: getattr(record, field.name) for field in fields(record)}
        query = insert(remote_model).values(**values)
        await self._database.write(lambda connection: _found(connection.execute(query).rowcount))

    async def change(self, model_id: str, values: Mapping[str, Any]) -> None:
        """Change a row. Raises `NotFound`."""
        query = update(remote_model).where(remote_model.c.id == model_id).values(**values)
        await self._database.write(lambda connection: _found(connection.execute(query).rowcount))

    async def remove(self, model_id: str) -> None:
        """Delete a row. Raises `NotFound`."""
        query = delete(remote_model).where(remote_model.c.id == model_id)
        await self._database.write(lambda connection: _found(connection.execute(query).rowcount))


def _found(rows: int) -> None:
    if not rows:
        raise NotFound("There is no such model elsewhere.")
