"""What whoever waits for an answer is told: the engine's events as those of a log."""

from typing import Any

from allerac.engine.protocol import Delta, EngineEvent, Finished, Queued, Reading
from allerac.errors import AlleracError, ContextTooLong
from allerac.events import EventKind


def progress_of(event: EngineEvent) -> tuple[EventKind, dict[str, Any]] | None:
    """Return what `event` tells while an answer is made; None for what tells nothing."""
    match event:
        case Queued(position, eta_seconds):
            return "queued", {"position": position, "eta_seconds": eta_seconds}
        case Reading(done_tokens, total_tokens, cached_tokens, eta_seconds):
            percent = round(100 * done_tokens / total_tokens) if total_tokens else 100
            data = {"percent": percent, "done_tokens": done_tokens, "total_tokens": total_tokens}
            rest = {"cached_tokens": cached_tokens, "eta_seconds": eta_seconds}
            return "reading", {**data, **rest}
        case Delta(text) if text:
            return "delta", {"text": text}
    return None


def usage_of(finished: Finished) -> dict[str, Any]:
    """Return how an answer ended, and what it took."""
    usage = finished.usage
    return {
        "finish_reason": finished.reason,
        "prompt_tokens": usage.prompt_tokens,
        "cached_tokens": usage.cached_tokens,
        "completion_tokens": usage.completion_tokens,
        "first_token_seconds": usage.first_token_seconds,
        "tokens_per_second": usage.tokens_per_second,
    }


def problem_of(error: AlleracError) -> dict[str, Any]:
    """Return why there is no answer, and whether it helps to ask again."""
    problem = {"code": error.code, "message": error.message, "hint": error.hint}
    return {**problem, "retriable": not isinstance(error, ContextTooLong)}
