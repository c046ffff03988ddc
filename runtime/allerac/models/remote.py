"""Models elsewhere: added by the owner, marked on every answer, gone with one click.

There are none until the owner adds one. A key is sealed before it is stored and never told again.
"""

import asyncio
from dataclasses import dataclass, replace
from typing import Any, Protocol
from urllib.parse import urlsplit

import structlog

from allerac.engine.remote import RemoteEngine, RemotePlace
from allerac.engine.remote_address import check_url, resolve
from allerac.errors import AlleracError, Conflict, InvalidInput, NotFound
from allerac.storage.ids import new_id
from allerac.storage.remote_models import RemoteModelRecord, RemoteModelStore

from .store import now_milliseconds

log = structlog.get_logger()

MODELS_LIMIT = 32


class Secrets(Protocol):
    """Seals and opens keys; see `allerac.appliance.secret_box`."""

    def seal(self, secret: str, purpose: str) -> str:
        """Return text for a row. Raises OSError."""

    def open(self, sealed: str, purpose: str) -> str:
        """Return the secret. Raises `SecretLost`."""


@dataclass(frozen=True, slots=True)
class RemoteModel:
    """A model elsewhere as people see it."""

    id: str
    title: str
    base_url: str
    host: str
    model: str
    has_key: bool
    allow_private: bool
    enabled: bool


@dataclass(frozen=True, slots=True)
class _Kept:
    record: RemoteModelRecord
    engine: RemoteEngine | None


class RemoteModels:
    """Every remote model and the engine that asks for its answers; `start` before use."""

    def __init__(self, store: RemoteModelStore, secrets: Secrets) -> None:
        self._store = store
        self._secrets = secrets
        self._kept: dict[str, _Kept] = {}

    async def start(self) -> None:
        """Read what the owner has added. A key that is lost leaves its model silent."""
        for record in await self._store.list():
            await self._keep(record)

    def all(self) -> list[RemoteModel]:
        """Return all, also those that are switched off."""
        return [_told(kept.record) for kept in self._kept.values()]

    def knows(self, model_id: str) -> bool:
        """Tell whether this model is elsewhere and switched on."""
        kept = self._kept.get(model_id)
        return kept is not None and kept.record.enabled

    def served(self) -> list[tuple[str, int]]:
        """Return the ids of those that may be asked, and when they were added in seconds."""
        records = [kept.record for kept in self._kept.values() if kept.record.enabled]
        return [(record.id, record.created_at // 1000) for record in records]

    def route(self, model_id: str) -> tuple[RemoteEngine, str] | None:
        """Return the engine of a model and its name there; None for models of this box.

        Raises `NotFound` for one that is switched off, or whose key is lost.
        """
        kept = self._kept.get(model_id)
        if kept is None:
            return None
        if not kept.record.enabled or kept.engine is None:
            raise NotFound("This model elsewhere is switched off, or its key is lost.")
        return kept.engine, kept.record.model

    async def add(
        self, *, title: str, base_url: str, model: str, key: str | None, allow_private: bool
    ) -> RemoteModel:
        """Add a model, switched on.

        Raises `InvalidInput` for an address that must be confirmed or is none, `Conflict` when
        there are too many, `EngineUnavailable` where the name is not found.
        """
        if len(self._kept) >= MODELS_LIMIT:
            raise Conflict("There are enough models elsewhere.", hint="Remove one first.")
        url = check_url(base_url, allow_private=allow_private)
        await resolve(url, allow_private=allow_private)
        model_id = f"remote-{new_id()}"
        record = RemoteModelRecord(
            id=model_id,
            title=title,
            base_url=url,
            model=model,
            sealed_key=await self._sealed(key, model_id),
            allow_private=allow_private,
            enabled=True,
            created_at=now_milliseconds(),
        )
        await self._store.add(record)
        log.info("remote_model_added", model_id=model_id, host=urlsplit(url).hostname)
        return _told((await self._keep(record)).record)

    async def change(self, model_id: str, changes: dict[str, Any]) -> RemoteModel:
        """Change `title`, `enabled` or `key`. Raises `NotFound`."""
        kept = self._require(model_id)
        values = dict(changes)
        if "key" in values:
            values["sealed_key"] = await self._sealed(values.pop("key"), model_id)
        if values:
            await self._store.change(model_id, values)
        return _told((await self._keep(replace(kept.record, **values))).record)

    async def remove(self, model_id: str) -> None:
        """Forget a model and its key. Raises `NotFound`."""
        self._require(model_id)
        await self._store.remove(model_id)
        del self._kept[model_id]

    async def check(self, model_id: str) -> bool:
        """Ask there what is offered; tell whether this model is. Raises what goes wrong."""
        kept = self._require(model_id)
        if kept.engine is None:
            raise InvalidInput("The key is lost. Enter it once more.", fields={"key": "is lost"})
        return kept.record.model in await kept.engine.models()

    def _require(self, model_id: str) -> _Kept:
        kept = self._kept.get(model_id)
        if kept is None:
            raise NotFound("There is no such model elsewhere.")
        return kept

    async def _sealed(self, key: str | None, model_id: str) -> str | None:
        return await asyncio.to_thread(self._secrets.seal, key, model_id) if key else None

    async def _keep(self, record: RemoteModelRecord) -> _Kept:
        try:
            key = None
            if record.sealed_key is not None:
                key = await asyncio.to_thread(self._secrets.open, record.sealed_key, record.id)
        except AlleracError:
            log.warning("remote_key_lost", model_id=record.id)
            kept = _Kept(record, None)
        else:
            place = RemotePlace(record.base_url, key, record.allow_private)
            kept = _Kept(record, RemoteEngine(place))
        self._kept[record.id] = kept
        return kept


def _told(record: RemoteModelRecord) -> RemoteModel:
    return RemoteModel(
        id=record.id,
        title=record.title,
        base_url=record.base_url,
        host=urlsplit(record.base_url).hostname or "",
        model=record.model,
        has_key=record.sealed_key is not None,
        allow_private=record.allow_private,
        enabled=record.enabled,
    )
