"""What goes into the next step: tokens that are written, prompts that are read, and guesses."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from allerac.engine.answer import Answer
from allerac.engine.fairness import FairShare
from allerac.engine.llama import Batch
from allerac.engine.memory import PromptMemory
from allerac.engine.pace import Pace
from allerac.engine.quoting import GUESSED

TAKEN_ALONG: Final = 1.25
"""A silent step may be so much longer where that spares another for a few last tokens."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """`tokens` tokens of `answer` in the batch, the last at `row`, and behind it the `guess`."""

    answer: Answer
    tokens: int
    row: int
    guess: tuple[int, ...] = ()

    @property
    def rows(self) -> int:
        return self.tokens + len(self.guess)


class Filling:
    """Fills `batch` by whose turn it is and by how much time a step has.

    `guesses` lets an answer that has the step for itself be guessed ahead.
    """

    def __init__(
        self,
        batch: Batch,
        *,
        memory: PromptMemory,
        pace: Pace,
        share: FairShare,
        guesses: bool,
    ) -> None:
        self._batch = batch
        self._memory = memory
        self._pace = pace
        self._share = share
        self._guesses = guesses
        self.people = 1
        """How many kept each other to a fair share of the step that was filled last."""

    def fill(self, running: Sequence[Answer]) -> list[Chunk]:
        """Fill the batch: streaming answers first, then prompts by whose turn it is.

        The background computes while nobody else does.
        """
        self._batch.clear()
        urgent = [a for a in running if not a.is_background] or running
        streaming = [answer for answer in urgent if answer.is_streaming]
        reading = sorted((a for a in urgent if not a.is_streaming), key=self._share.key)
        self.people = people = self._sharing(streaming, reading)
        places = self._pace.places(len(streaming), people, is_reading=bool(reading))
        if places < len(streaming):
            streaming = self._share.rotation(streaming, places)
        if len(streaming) == 1 and not reading:
            return [self._add(streaming[0], 1, self._guess(streaming[0]))]
        chunks = [self._add(answer, 1) for answer in streaming]
        room = self._pace.chunk(len(streaming), people)
        if not streaming and room < (rest := sum(a.unread for a in reading)) <= room * TAKEN_ALONG:
            room = rest
        room = min(self._batch.room, room)
        for answer in reading:
            if answer.stored or not self._memory.follow(answer, running):
                continue
            size = min(room, answer.unread)
            if size <= 0:
                break
            self._share.begin(answer)
            chunks.append(self._add(answer, size))
            room -= size
        return chunks

    def _sharing(self, streaming: Sequence[Answer], reading: Sequence[Answer]) -> int:
        """How many people keep each other to a fair share.

        Nobody does where the next prompt is of somebody who was served less than all who stream.
        """
        writers = {answer.person for answer in streaming}
        if writers and reading and self._share.has_least(reading[0].person, writers):
            return 1
        return len(writers | {answer.person for answer in reading})

    def _guess(self, answer: Answer) -> list[int]:
        """What is checked along with the next token of an answer that has the step for itself."""
        left = answer.limit - answer.completion_tokens - 1
        if not self._guesses or left <= 0:
            return []
        return answer.quoting.guess(answer.tokens, min(GUESSED, left), self._pace.rows_cost)

    def _add(self, answer: Answer, size: int, guess: Sequence[int] = ()) -> Chunk:
        end = answer.read + size
        tokens = [*answer.tokens[answer.read : end], *guess]
        outputs = 1 + len(guess) if end == len(answer.tokens) else 0
        last = self._batch.add(tokens, answer.read, answer.sequence, outputs=outputs)
        return Chunk(answer, size, last - len(guess), tuple(guess))
