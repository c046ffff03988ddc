"""How long steps take, how much fits into the next one, and how quickly all of it goes on."""

from dataclasses import dataclass
from math import ceil
from typing import Final

from allerac.engine.protocol import Speed

STREAMING_STEP_SECONDS: Final = 0.150  # others' text must not stutter
SILENT_STEP_SECONDS: Final = 0.500  # nobody is reading along: larger chunks are quicker
STREAMING_SHARE: Final = 0.6  # of a step, while prompts wait to be read
SLACK: Final = 1.1  # one of two people keeps 1 / 2.2 of solo speed; promised is 0.4
EACH_MORE: Final = 0.5  # measured from 0.4 to 0.6 where arithmetic is the limit, less elsewhere
FIRST_CHUNK_TOKENS: Final = 16
CHUNK_TOKENS_MIN: Final = 8
SHORT_TOKENS: Final = (
    256  # beyond, attention makes a step slower: of Q4_0 from 13.6 ms to 17 at 600
)
ROWS_AT_ONCE: Final = 4  # of a batch, in llama.cpp's repacked kernels; the rest goes one by one
LEARNT_TOKENS_MIN: Final = 32  # the end of a prompt takes longer by the token than the whole
_WEIGHT: Final = 0.2  # of the newest measurement
_OVERHEAD_WEIGHT: Final = 0.02
_PROMPT_SHARE_MIN: Final = 0.1


class Average:
    """Exponentially weighted; None until the first value."""

    def __init__(self, weight: float) -> None:
        self._weight = weight
        self.value: float | None = None

    def add(self, value: float) -> None:
        if self.value is None:
            self.value = value
        else:
            self.value += self._weight * (value - self.value)


@dataclass(frozen=True, slots=True)
class Flow:
    """Tokens a second: `read` of prompts, one after the other, and `written` of each answer.

    `chunk` is how many tokens of prompts a step has.
    """

    read: float
    written: float
    chunk: int = 0


class Pace:
    """Learns the seconds of a prompt token and of a step of so many answers."""

    def __init__(self) -> None:
        self._prefill_token = {alone: Average(_WEIGHT) for alone in (True, False)}
        self._is_guess = True
        self._streaming_steps: dict[int, Average] = {}
        self._alone: float | None = None
        self._overhead = Average(_OVERHEAD_WEIGHT)
        self._debt = 0.0

    @property
    def prompt_token_seconds(self) -> float | None:
        """What a token of a prompt takes while nobody streams."""
        return self._token_seconds(0)

    def record_step(
        self, streaming: int, prefill: int, seconds: float, people: int = 1, *, longest: int = 0
    ) -> None:
        """A step computed one token for each of `streaming` answers and `prefill` of prompts.

        Where it did both, each part was as much quicker or slower than expected as the whole.
        `longest` is how many tokens the longest of them had before.
        """
        self._debt = self._owed(prefill, seconds, people) if streaming else 0.0
        expected = self.streaming_seconds(streaming)
        if prefill == 0:
            self._learn_step(streaming, seconds)
            if streaming == 1:
                self._learn_alone(seconds, longest)
        elif (token := self._token_seconds(streaming)) is None:
            each = max(seconds - expected, seconds * 0.1) / prefill
            self._prefill_token[not streaming].add(each)
        elif streaming or prefill >= LEARNT_TOKENS_MIN:
            ratio = seconds / (expected + prefill * token)
            self._learn_token(streaming, token * ratio)
            if streaming and expected:
                self._learn_step(streaming, expected * ratio)

    def record_overhead(self, computing: float, whole: float) -> None:
        """A step took `whole` seconds, of which llama.cpp was `computing`."""
        if whole > 0:
            self._overhead.add(1 - computing / whole)

    def learn(self, speed: Speed) -> None:
        """Begin with what was measured for one answer alone."""
        if speed.prefill_tokens_per_second:
            self._learn_token(0, 1 / speed.prefill_tokens_per_second)
        if speed.decode_tokens_per_second:
            self.record_step(1, 0, 1 / speed.decode_tokens_per_second)

    def streaming_seconds(self, streams: int) -> float:
        """A step of so many answers; where it was not measured, between what is known.

        Beyond that each answer more is taken to cost half of one alone.
        """
        known = {n: step.value or 0.0 for n, step in self._streaming_steps.items()}
        if not streams or not known or streams in known:
            return known.get(streams, 0.0)
        more = min((n for n in known if n > streams), default=None)
        fewer = max((n for n in known if n < streams), default=None)
        most = float("inf") if more is None else known[more]
        if fewer is None:
            return most
        return min(most, known[fewer] * (1 + EACH_MORE * (streams - fewer) / fewer))

    def rows_cost(self, rows: int) -> float:
        """How many times as long as a step of one row one of `rows` takes."""
        alone = self.streaming_seconds(1)
        return self.streaming_seconds(rows) / alone if alone else float("inf")

    def places(self, streaming: int, people: int, *, is_reading: bool = False) -> int:
        """How many of `streaming` answers get a token a step, so that `people` stay fair.

        Nobody is to fall below a share of 1 / `people` of the speed that one alone would have, and
        whoever waits for a first word gets a good part of the step. On a machine that computes
        several as quickly as one, nobody is held back.
        """
        limit, least = self._fair_seconds(people), people
        if is_reading:
            limit = min(limit, STREAMING_STEP_SECONDS * STREAMING_SHARE)
            least = min(people, 2)
        places = streaming
        while places > least and self.streaming_seconds(places) > limit:
            places -= 1
        return places

    def chunk(self, streaming: int, people: int = 1) -> int:
        """Prompt tokens that fit into the next step, in which `streaming` answers get a token.

        None after a step that was longer than is fair, until the shorter ones have made up for it.
        With those of `streaming` it makes whole groups of `ROWS_AT_ONCE`: of Q4_0 on two cores 24
        rows take 108 ms, 26 take 122 and 28 take 119.
        """
        token = self._token_seconds(streaming)
        if token is None:
            return FIRST_CHUNK_TOKENS
        if streaming and self._debt and people > 1:
            return 0
        return self._fitting(streaming, people, token)

    def _fitting(self, streaming: int, people: int, token: float) -> int:
        target = SILENT_STEP_SECONDS
        if streaming:
            whole = min(STREAMING_STEP_SECONDS, self._fair_seconds(people))
            target = whole - self.streaming_seconds(streaming)
        rows = streaming + max(CHUNK_TOKENS_MIN, int(target / token))
        rows -= rows % ROWS_AT_ONCE
        if rows - streaming < CHUNK_TOKENS_MIN:
            rows += ROWS_AT_ONCE
        return rows - streaming

    def flow(self, streaming: int, people: int, *, is_reading: bool) -> Flow | None:
        """How quickly prompts and answers go on while it stays like this; None until measured.

        A step that is longer than is fair is followed by some without prompts, as `chunk` has it.
        """
        token = self._token_seconds(streaming)
        if token is None:
            return None
        if not streaming:
            return Flow(1 / token, 0.0, self._fitting(0, people, token))
        places = self.places(streaming, people, is_reading=is_reading)
        short = self.streaming_seconds(places) or token
        if not is_reading:
            return Flow(0.0, places / streaming / short)
        tokens = self._fitting(places, people, token)
        whole = short + tokens * token
        fair = self._fair_seconds(people)
        debt = min(max(0.0, whole - fair), fair)
        pauses = ceil(debt / max(fair - short, short * _PROMPT_SHARE_MIN)) if debt else 0
        cycle = whole + pauses * short
        return Flow(tokens / cycle, (1 + pauses) / cycle * places / streaming, tokens)

    def speed(self) -> Speed:
        token, step = self._token_seconds(0), self.streaming_seconds(1)
        return Speed(1 / token if token else None, 1 / step if step else None, self._overhead.value)

    def _token_seconds(self, streaming: int) -> float | None:
        """What a token of a prompt takes; the small pieces beside answers take longer by the token.

        Where only the other case was seen, what it was there.
        """
        alone, beside = self._prefill_token[True].value, self._prefill_token[False].value
        if streaming:
            return alone if beside is None else beside
        return beside if alone is None else alone

    def _learn_token(self, streaming: int, seconds: float) -> None:
        """Average it in; the first piece of some length counts more than the short ones before."""
        if self._is_guess and not streaming:
            self._is_guess, self._prefill_token[True] = False, Average(_WEIGHT)
        self._prefill_token[not streaming].add(seconds)

    def _learn_step(self, streaming: int, seconds: float) -> None:
        self._streaming_steps.setdefault(streaming, Average(_WEIGHT)).add(seconds)

    def _learn_alone(self, seconds: float, longest: int) -> None:
        """What one alone is owed is told by short conversations; a long one can but be quicker."""
        before = seconds if self._alone is None else self._alone
        if seconds <= before or longest <= SHORT_TOKENS:
            self._alone = before + _WEIGHT * (seconds - before)

    def _owed(self, prefill: int, seconds: float, people: int) -> float:
        """How much longer than fair the last steps were.

        It falls with each step without prompts, however long that is: prompts go on.
        """
        fair = self._fair_seconds(people)
        more = seconds - fair
        if not prefill:
            more = min(more, -seconds * _PROMPT_SHARE_MIN)
        return min(max(0.0, self._debt + more), fair)

    def _fair_seconds(self, people: int) -> float:
        """The longest step in which nobody of `people` falls below a fair share."""
        if people < 2 or self._alone is None:
            return float("inf")
        return self._alone * people * SLACK
