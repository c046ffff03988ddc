"""The gate's last word, where both systems find it: a small file on the identity partition.

The partition is there also when the data is not, or its disk is full.
"""

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import structlog

from allerac.appliance.files import replace_file
from allerac.updates.verdict import Verdict

from .runner import Fault, Judgement

log = structlog.get_logger()

NAME: Final = "verdict.json"
FORM: Final = 1
MOST_BYTES: Final = 4096
"""One block of the file system; also all that is ever read."""

DETAIL_LETTERS: Final = 200


def folders_of(identity_dir: Path | None, data_dir: Path) -> tuple[Path, ...]:
    """Return where the verdict may lie: with the data on a unit that has no identity."""
    identity = () if identity_dir is None else (identity_dir / "update",)
    return (*identity, data_dir / "updates")


def verdict_of(version: str, judgement: Judgement, attempt: str | None) -> Verdict:
    """Return the judgement as the old system hears it: the first fault is the reason."""
    if judgement.passed:
        return Verdict(version, passed=True, attempt=attempt)
    cause = judgement.faults[0]
    return Verdict(version, False, cause.fault, cause.detail, attempt)


class ReasonFile:
    """Writes and reads it; a partition that is missing, read-only or full is logged, no more.

    It is written to the first of `folders` that takes it; the one written last counts.
    """

    def __init__(
        self, *folders: Path, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._paths = [folder / NAME for folder in folders]
        self._clock = clock

    def write(self, version: str, judgement: Judgement, attempt: str | None = None) -> bool:
        """Leave the judgement; tell whether it is there now. What was there stays if not."""
        verdict = verdict_of(version, judgement, attempt)
        content = _content(verdict, judgement.faults, self._clock())
        return any(_replace(path, content) for path in self._paths)

    async def last(self) -> Verdict | None:
        """Return the last verdict; None when there is none or it cannot be read."""
        return await asyncio.to_thread(self.read)

    def read(self) -> Verdict | None:
        """Return the same, waiting for the disk."""
        path = max(self._paths, key=_written_at)
        try:
            with path.open("rb") as file:
                return _verdict(json.loads(file.read(MOST_BYTES)))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, KeyError) as error:
            log.warning("update_reason_unreadable", file=str(path), reason=repr(error))
            return None


def _written_at(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return -1


def _replace(path: Path, content: bytes) -> bool:
    try:
        replace_file(path, content, 0o644)
    except OSError as error:
        log.warning("update_reason_not_kept", file=str(path), reason=str(error))
        with suppress(OSError):  # a full partition shall not stay full of the attempt
            path.with_name(f".{path.name}.part").unlink()
        return False
    return True


def _content(verdict: Verdict, faults: tuple[Fault, ...], at: datetime) -> bytes:
    """Return at most `MOST_BYTES`; the faults that caused least are left out."""
    kept = [(fault.proof, fault.fault, fault.detail[:DETAIL_LETTERS]) for fault in faults]
    while True:
        told = [{"proof": proof, "fault": fault, "detail": text} for proof, fault, text in kept]
        document = {
            "form": FORM,
            "version": verdict.version,
            "passed": verdict.passed,
            "reason": verdict.reason,
            "detail": verdict.detail and verdict.detail[:DETAIL_LETTERS],
            "attempt": verdict.attempt,
            "at": at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "faults": told,
        }
        content = json.dumps(document).encode("ascii")
        if len(content) <= MOST_BYTES or not kept:
            return content
        kept.pop()


def _verdict(document: dict[str, Any]) -> Verdict:
    version, passed = document["version"], document["passed"]
    if document["form"] != FORM or not isinstance(version, str) or not isinstance(passed, bool):
        raise ValueError("not of the expected form")
    reason, detail = _text(document["reason"]), _text(document["detail"])
    return Verdict(version, passed, reason, detail, _text(document.get("attempt")))


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise ValueError("not of the expected form")
