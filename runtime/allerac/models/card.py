"""What is told about models, in plain values."""

from dataclasses import dataclass
from typing import Literal

from allerac.hardware.speed import Fit, SpeedEstimate

DownloadState = Literal["queued", "running", "paused", "verifying", "failed", "done"]
ANSWER_TOKENS = 4096
"""The longest answer where nothing else is said: some 3,000 words."""

ModelState = Literal["installed", "available", "downloading", "paused", "damaged", "failed"]


@dataclass(frozen=True, slots=True)
class Problem:
    """What went wrong and what to do next, for people."""

    code: str
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class DownloadProgress:
    """How far a download is. `bytes_per_second` is smoothed, 0 when nothing moves."""

    model_id: str
    state: DownloadState
    received_bytes: int
    total_bytes: int
    bytes_per_second: float = 0.0
    seconds_left: float | None = None
    error: Problem | None = None


@dataclass(frozen=True, slots=True)
class ModelCard:
    """One model as a person chooses it.

    `role` is what the tier uses it for: chat, fast, larger, embedding, reranker, demo, other or
    imported. `speed` is for this machine. `answer_tokens` is where an answer is cut at the latest.
    """

    id: str
    title: str
    description: str
    family: str
    licence: str
    role: str
    size_bytes: int
    context_length: int
    quantisation: str
    fit: Fit
    fit_reason: str
    speed: SpeedEstimate
    state: ModelState
    is_demo: bool
    recommended: bool
    download: DownloadProgress | None = None
    answer_tokens: int = ANSWER_TOKENS

    @property
    def is_offered(self) -> bool:
        """Whether it can be downloaded; otherwise its file came with the program or a person."""
        return self.role not in {"demo", "imported"}


@dataclass(frozen=True, slots=True)
class VerifyResult:
    """Whether the file is what it must be; `reason` says what was compared or what differs."""

    ok: bool
    reason: str
