"""The engine's decisions on a machine whose steps are known: no clock, no model."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

from allerac.engine.answer import Answer, Ticket
from allerac.engine.fairness import TOKEN_SECONDS, FairShare, WaitingLine
from allerac.engine.filling import Filling
from allerac.engine.forecast import Forecast
from allerac.engine.llama import Batch
from allerac.engine.memory import PromptMemory
from allerac.engine.pace import Pace
from allerac.engine.protocol import GenerationRequest, PromptMessage, Sampling, Speed
from allerac.engine.sampling import Greedy


@dataclass(frozen=True, slots=True)
class Machine:
    """A step takes `weights` seconds to bring the model in, and `token` for each token in it.

    Attention takes `cell` for each token that the answers of a step have had before.
    """

    weights: float
    token: float
    cell: float = 0.0

    def step(self, streaming: int, prefill: int, cells: int = 0) -> float:
        return self.weights + (streaming + prefill) * self.token + cells * self.cell

    def read(self, pace: Pace, tokens: int, streaming: int = 0) -> float:
        """Read a prompt of `tokens` while `streaming` answers go on; the seconds it took."""
        seconds = 0.0
        while tokens:
            prefill = min(tokens, 512, pace.chunk(streaming))
            took = self.step(streaming, prefill)
            pace.record_step(streaming, prefill, took)
            seconds, tokens = seconds + took, tokens - prefill
        return seconds

    def write(self, pace: Pace, tokens: int) -> None:
        for _ in range(tokens):
            pace.record_step(1, 0, self.step(1, 0))


MACHINES = [
    Machine(weights=0.070, token=0.020),  # a small PC
    Machine(weights=0.030, token=0.006),
    Machine(weights=0.005, token=0.0005),
]
ATTENTIVE = Machine(weights=0.010, token=0.0035, cell=6e-6)
"""Half a billion parameters as Q4_0 on two cores: 14 ms alone, 17 after 600 tokens."""


class Unshared:
    """A memory in which nobody reads what another has read."""

    def follow(self, answer: Answer, running: Sequence[Answer]) -> bool:
        return True


@dataclass(slots=True)
class Box:
    """The parts that decide what is computed, on a machine whose steps are known."""

    machine: Machine
    sequences: int = 8
    seconds: float = 0.0
    last_step: float = 0.0
    steps: int = 0
    pace: Pace = field(default_factory=Pace)
    share: FairShare = field(default_factory=FairShare)
    running: list[Answer] = field(default_factory=list)
    first_words: dict[Answer, float] = field(default_factory=dict)
    told: dict[Answer, float] = field(default_factory=dict)
    batch: Batch = field(default_factory=lambda: Batch(512))
    line: WaitingLine = field(init=False)
    filling: Filling = field(init=False)
    forecast: Forecast = field(init=False)

    def __post_init__(self) -> None:
        memory = cast("PromptMemory", Unshared())
        self.filling = Filling(
            self.batch, memory=memory, pace=self.pace, share=self.share, guesses=False
        )
        self.forecast = Forecast(
            self.pace, self.share, sequences=self.sequences, step_tokens=self.batch.capacity
        )
        self.line = WaitingLine(self.share)
        self.pace.learn(Speed(128 / self.machine.step(0, 128), 1 / self.solo_step))

    @property
    def solo_step(self) -> float:
        """Seconds of a token where one answer is alone."""
        return self.machine.step(1, 0)

    def ask(self, person: str, tokens: int, words: int) -> Answer:
        request = GenerationRequest(
            person, "model", person, (PromptMessage("user", "?"),), Sampling()
        )
        answer = Answer(Ticket(request), [7] * tokens, words, Greedy())
        self.share.enter(person)
        self.line.add(answer)
        return answer

    def step(self) -> None:
        admitted = []
        self.steps += 1
        while len(self.running) < self.sequences and (answer := self.line.first()) is not None:
            self.line.remove(answer)
            self.running.append(answer)
            admitted.append(answer)
        for answer in admitted:
            self._tell(answer, self.forecast.reading(answer, self.running).eta_seconds)
        for answer, queued in self.forecast.queued(list(self.line), self.running):
            self._tell(answer, queued.eta_seconds)
        chunks = self.filling.fill(self.running)
        streaming = sum(chunk.answer.is_streaming for chunk in chunks)
        prefill = self.batch.size - streaming
        took = self.machine.step(streaming, prefill, sum(chunk.answer.read for chunk in chunks))
        self.last_step = took
        self.seconds += took
        longest = max(chunk.answer.read for chunk in chunks)
        self.pace.record_step(streaming, prefill, took, self.filling.people, longest=longest)
        for chunk in chunks:
            answer = chunk.answer
            answer.read += chunk.tokens
            answer.stepped = self.steps
            self.share.token_seconds = self.pace.prompt_token_seconds or TOKEN_SECONDS
            self.share.charge(answer.person, chunk.rows * took / self.batch.size)
            if not answer.unread:
                self.first_words.setdefault(answer, self.seconds)
                answer.tokens.append(7)
                if answer.completion_tokens == answer.limit:
                    self.running.remove(answer)
                    self.forecast.finished(answer)

    def until_quiet(self) -> None:
        while self.running or len(self.line):
            self.step()

    def until(self, answer: Answer) -> None:
        """Go on until `answer` has ended."""
        while answer.completion_tokens < answer.limit:
            self.step()

    def _tell(self, answer: Answer, seconds: float | None) -> None:
        if seconds is not None:
            self.told.setdefault(answer, self.seconds + seconds)


def settled(machine: Machine) -> Box:
    """Return a box that has seen how long answers are."""
    box = Box(machine)
    box.ask("eve", 300, 16)
    box.until_quiet()
    return box
