"""Whether the box is found by its names: what the last look at the network said."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import structlog

log = structlog.get_logger()

Reason = Literal["names_lead_here", "names_do_not_lead_here", "no_address", "network_error"]


@dataclass(frozen=True, slots=True)
class SelfTest:
    """Whether our names resolve to us; `message` says the reason in English."""

    ok: bool
    reason: Reason
    message: str
    checked_at: datetime


class SelfTestLog:
    """Holds the last result, None before the first; logs one that says something new."""

    def __init__(self) -> None:
        self.last: SelfTest | None = None

    def answered(self, silent: Sequence[str], now: datetime) -> None:
        """Note that all names lead here but those of `silent`."""
        names = ", ".join(host.rstrip(".") for host in silent)
        if names:
            self._note("names_do_not_lead_here", f"{names} does not lead to this box.", now)
        else:
            self._note("names_lead_here", "All names lead to this box.", now)

    def no_address(self, now: datetime) -> None:
        """Note that there is no network to be found on."""
        self._note("no_address", "This box has no network address.", now)

    def failed(self, error: Exception, now: datetime) -> None:
        """Note that the network could not be asked."""
        self._note("network_error", f"The network could not be asked: {error}.", now)

    def _note(self, reason: Reason, message: str, now: datetime) -> None:
        before, self.last = self.last, SelfTest(reason == "names_lead_here", reason, message, now)
        if before is not None and before.message == message:
            return
        if not self.last.ok:
            log.warning("name_self_test_failed", reason=reason, message=message)
        elif before is not None:
            log.info("name_self_test_passed")
