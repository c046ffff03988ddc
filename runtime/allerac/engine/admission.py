"""Which answers run together: each is promised cells of the context before it begins."""

from collections.abc import Iterable, Sequence
from typing import Final

from allerac.engine.answer import Answer
from allerac.engine.fairness import FairShare

FEW_WORDS_OF_SHARE: Final = 4  # a quarter of it: of a share of 1,024 tokens, some 190 words


class Admission:
    """Decides over a context of `cells`, in which `sequences` answers run at once."""

    def __init__(self, *, cells: int, sequences: int) -> None:
        self._cells = cells
        self._sequences = sequences

    def fits(self, answer: Answer, running: Sequence[Answer]) -> bool:
        """Whether `answer` can run beside `running`; alone it always can."""
        if not running:
            return True
        return len(running) < self._sequences and self.reserved([*running, answer]) <= self._cells

    def reserved(self, answers: Iterable[Answer]) -> int:
        """Cells promised to `answers` together."""
        return sum(map(self._promised, answers))

    def victim(self, answer: Answer, running: Sequence[Answer]) -> Answer | None:
        """Who should wait so that `answer` fits; None where that does not help.

        Somebody of the background, or of who takes up many places.
        """
        background = [a for a in running if a.is_background and not answer.is_background]
        crowding = FairShare.crowding(answer, running)
        victim = max(background, key=lambda a: a.order, default=crowding)
        if victim is None or not self.fits(answer, [a for a in running if a is not victim]):
            return None
        return victim

    def _promised(self, answer: Answer) -> int:
        """Its share of the context, or its prompt and a few words more.

        Beyond that an answer goes on as long as there is room.
        """
        share = self._cells // self._sequences
        whole = answer.prompt_tokens + answer.limit
        promised = min(whole, max(share, answer.prompt_tokens + share // FEW_WORDS_OF_SHARE))
        return min(max(promised, len(answer.tokens) + 1), self._cells)
