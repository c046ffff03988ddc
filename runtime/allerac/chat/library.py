"""What the chat asks of whoever keeps assistants, documents and memories; it knows none of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from .prompt import Turn


@dataclass(frozen=True, slots=True)
class Setting:
    """How a conversation is to be answered; None leaves what the chat does by itself.

    `model_id` is asked for, and the household's model answers where it cannot.
    """

    instructions: str | None = None
    model_id: str | None = None
    memories: tuple[str, ...] = ()
    temperature: float | None = None
    max_tokens: int | None = None


NO_SETTING = Setting()


@dataclass(frozen=True, slots=True)
class Tried:
    """An assistant that is being written; its memories are those of whoever tries it.

    `file_ids` narrow where it looks, None leaves that open.
    """

    setting: Setting
    uses_knowledge: bool = True
    file_ids: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, in which conversation, and the answer that is being made.

    `before` is the question before this one, "" for the first.
    """

    person_id: str
    conversation_id: str
    answer_id: str
    text: str
    before: str
    context_tokens: int | None


@dataclass(frozen=True, slots=True)
class Brief:
    """What to answer with. `sources` are told to whoever follows; None: nothing was searched."""

    setting: Setting
    passages: tuple[str, ...] = ()
    sources: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Beginning:
    """How a conversation of this person may begin."""

    person_id: str
    setting: Setting


class Library(Protocol):
    """Knows how a conversation is answered, and what to read before."""

    async def setting(self, person_id: str, conversation_id: str) -> Setting:
        """Return how the conversation is to be answered."""

    async def brief(self, question: Question) -> Brief:
        """Search for what answers `question`, and keep how that was done."""

    async def rehearse(self, question: Question, tried: Tried) -> Brief:
        """Search as `tried` would, keeping nothing; `sources` have their text with them."""

    async def recall(
        self, person_id: str, answer_ids: Sequence[str]
    ) -> Mapping[str, tuple[str, ...]]:
        """Return the passages that stood before earlier answers, as they were read then."""

    async def beginnings(self, model_id: str) -> Sequence[Beginning]:
        """Return how conversations with this model may begin, the likeliest first."""


class NoLibrary:
    """A box without assistants, documents and memories."""

    async def setting(self, person_id: str, conversation_id: str) -> Setting:
        """Nothing special."""
        return Setting()

    async def brief(self, question: Question) -> Brief:
        """Nothing to read."""
        return Brief(Setting())

    async def rehearse(self, question: Question, tried: Tried) -> Brief:
        """Nothing to read."""
        return Brief(tried.setting)

    async def recall(
        self, person_id: str, answer_ids: Sequence[str]
    ) -> Mapping[str, tuple[str, ...]]:
        """Nothing was read."""
        return {}

    async def beginnings(self, model_id: str) -> Sequence[Beginning]:
        """Nobody is known."""
        return ()


def with_passages(
    turns: Sequence[Turn], found: Mapping[str, tuple[str, ...]], newest: tuple[str, ...] = ()
) -> tuple[Turn, ...]:
    """Return `turns` with the passages that stood before each answer of `found`.

    `newest` stand before the answer to the last turn, which is being made.
    """
    answers = [turn.message_id for turn in turns[1:]]
    told = [found.get(answer, ()) for answer in answers] + [newest]
    return tuple(
        replace(turn, passages=passages) if turn.role == "user" else turn
        for turn, passages in zip(turns, told, strict=False)
    )
