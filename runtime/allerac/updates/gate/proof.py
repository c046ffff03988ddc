"""What a proof is: one thing that worked before and must work again."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from .baseline import Baseline
from .surroundings import Surroundings


@dataclass(frozen=True, slots=True)
class Sentence:
    """What a person is told."""

    en: str
    de: str


class NotProvenError(Exception):
    """It does not work now; `fault` is one of the proof's, `detail` has the figures."""

    def __init__(self, fault: str, detail: str) -> None:
        super().__init__(f"{fault}: {detail}")
        self.fault = fault
        self.detail = detail


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """One proof, as data.

    `rank` orders by cause: of several that fail, the lowest is the reason. `faults` are the codes
    that it may fail with, the first of them also when an attempt takes over `timeout_seconds`.
    `attempt` raises `NotProvenError`; another `AlleracError` or `OSError` counts as the first
    fault.
    It must succeed for `holds_seconds` on end; what failed is tried again after `retry_seconds`.
    It begins when the proof `after` has succeeded.
    """

    code: str
    rank: int
    timeout_seconds: float
    faults: Mapping[str, Sentence]
    required: Callable[[Baseline], bool]
    attempt: Callable[[Surroundings, Baseline], Awaitable[None]]
    holds_seconds: float = 0.0
    retry_seconds: float = 3.0
    after: str | None = None

    @property
    def first_fault(self) -> str:
        """What it is when nothing more is known."""
        return next(iter(self.faults))
