"""What the chat answers with, beside the stored records."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from allerac.events import Event
from allerac.storage.conversations import ConversationRecord, MessageRecord

from .context import ContextGauge

Events = AsyncIterator[Event]


class ModelResolver(Protocol):
    """Which model answers, and the way to have it loaded."""

    async def default_model_id(self) -> str:
        """The household's model. Raises `EngineUnavailable` when there is none."""

    def require_known(self, model_id: str) -> None:
        """Raise `NotFound` for a model that the catalogue does not have."""

    def serves(self, model_id: str) -> bool:
        """True for a model that can answer: it is within reach and not too large for the box."""

    async def ensure_loaded(self, model_id: str) -> None:
        """Return when `model_id` answers.

        Raises `NotFound`, `Conflict` when it is not on board, `ModelDamaged`, `EngineUnavailable`.
        """

    def is_greedy(self, model_id: str) -> bool:
        """True for models that answer best when the likeliest token is always taken."""

    def answer_tokens(self, model_id: str) -> int:
        """Where an answer of this model is cut at the latest."""


@dataclass(frozen=True, slots=True)
class ConversationDetail:
    """A conversation with its gauge."""

    id: str
    title: str | None
    pinned: bool
    archived: bool
    model_id: str | None
    created_at: datetime
    updated_at: datetime
    leaf_id: str | None
    context_from_id: str | None
    context: ContextGauge
    snippet: None = None

    @classmethod
    def of(cls, record: ConversationRecord, context: ContextGauge) -> "ConversationDetail":
        """Join a stored conversation and its gauge."""
        return cls(
            id=record.id,
            title=record.title,
            pinned=record.pinned,
            archived=record.archived,
            model_id=record.model_id,
            created_at=record.created_at,
            updated_at=record.updated_at,
            leaf_id=record.leaf_id,
            context_from_id=record.context_from_id,
            context=context,
        )


@dataclass(frozen=True, slots=True)
class Sent:
    """A message and the answer that is on its way."""

    message: MessageRecord
    answer: MessageRecord
