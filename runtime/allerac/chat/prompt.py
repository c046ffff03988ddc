"""The prompt compiler: what the model reads, in an order that keeps its beginning the same.

Reading is what takes time on a small machine, and the engine reads again only what differs from
the turn before. So what never changes comes first, the history only grows, and what changes with
every question stands with the last question, not before it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from allerac.engine.protocol import PromptMessage

INSTRUCTIONS = "You are Allerac, a helpful assistant in this household. Answer briefly."

CITE = (
    "Answer from these passages and name the number of each that you use in brackets. "
    "If they do not say it, say that you do not know."
)
"""Stands with the passages: where nothing was found, the model answers from what it knows."""

RECALL = "What have we said so far?"
"""The question to which the summary of earlier turns is the answer."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A message as the person or the model wrote it; `passages` were found for this turn.

    `message_id` names the stored message, where there is one.
    """

    role: Literal["user", "assistant"]
    content: str
    passages: tuple[str, ...] = ()
    message_id: str = ""


def compile_prompt(
    *,
    instructions: str,
    history: Sequence[Turn],
    memories: Sequence[str] = (),
    summary: str | None = None,
) -> tuple[PromptMessage, ...]:
    """Return the messages for the engine's template.

    As long as `instructions`, `memories` and `summary` stay and `history` only grows, the result
    of one turn is a prefix of the next one's. The summary stands as an answer of the model, whose
    words it is: what people wrote gains no weight by it, and the two sides still take turns.
    """
    first = instructions
    if memories:
        first += "\n\nWhat the household asked you to remember:\n"
        first += "\n".join(f"- {memory}" for memory in memories)
    opening: tuple[PromptMessage, ...] = (PromptMessage("system", first),) if first else ()
    if summary is not None:
        opening += (PromptMessage("user", RECALL), PromptMessage("assistant", summary))
    return opening + tuple(PromptMessage(turn.role, _content(turn)) for turn in history)


def _content(turn: Turn) -> str:
    if not turn.passages:
        return turn.content
    numbered = "\n".join(f"[{number}] {text}" for number, text in enumerate(turn.passages, 1))
    return f"{CITE}\n\nPassages:\n{numbered}\n\n{turn.content}"
