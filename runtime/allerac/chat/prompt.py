"""The prompt compiler: what the model reads, in an order that keeps its beginning the same.

Reading is what takes time on a small machine, and the engine reads again only what differs from
the turn before. So what never changes comes first, the history only grows, and what changes with
every question stands with the last question, not before it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from allerac.engine.protocol import PromptMessage

INSTRUCTIONS = (
    "You are Allerac, a helpful assistant in this household. Answer briefly. "
    "If the documents do not say it, say that you do not know."
)


@dataclass(frozen=True, slots=True)
class Turn:
    """A message as the person or the model wrote it; `passages` were found for this turn."""

    role: Literal["user", "assistant"]
    content: str
    passages: tuple[str, ...] = ()


def compile_prompt(
    *, instructions: str, history: Sequence[Turn], memories: Sequence[str] = ()
) -> tuple[PromptMessage, ...]:
    """Return the messages for the engine's template.

    As long as `instructions` and `memories` stay and `history` only grows, the result of one turn
    is a prefix of the next one's.
    """
    first = instructions
    if memories:
        first += "\n\nWhat the household asked you to remember:\n"
        first += "\n".join(f"- {memory}" for memory in memories)
    opening = (PromptMessage("system", first),) if first else ()
    return opening + tuple(PromptMessage(turn.role, _content(turn)) for turn in history)


def _content(turn: Turn) -> str:
    if not turn.passages:
        return turn.content
    numbered = "\n".join(f"[{number}] {text}" for number, text in enumerate(turn.passages, 1))
    return f"Passages:\n{numbered}\n\n{turn.content}"
