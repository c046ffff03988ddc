"""The burn-in tells how it goes: lines for whoever follows them, a view for the unit's screen."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

import structlog

from allerac.appliance.burn_in_view import BurnInView, State, mark_running, write_burn_in

from .outcome import Outcome

log = structlog.get_logger()

NOTHING: Final = "nothing to compare here"


class Reporter:
    """Tells of the unit `serial`; `tell` gets the lines, `screen` is the view's file, if any."""

    def __init__(
        self, serial: str, tell: Callable[[str], None], screen: Path | None = None
    ) -> None:
        self._tell = tell
        self._screen = screen
        self._view = BurnInView(serial)

    def begin(self, checks: int) -> None:
        """Say that a burn-in of so many checks begins."""
        if self._screen is not None:
            try:
                mark_running(self._screen)
            except OSError as error:
                log.warning("burn_in_not_shown", reason=error.strerror)
        self._show(replace(self._view, checks=checks))

    def test(self, name: str) -> None:
        """Say what is tested now."""
        self._show(replace(self._view, doing=name, note=""))

    def tell(self, line: str) -> None:
        """Say a line about what is tested now."""
        self._tell(line)
        self._show(replace(self._view, note=line.strip()))

    def found(self, outcome: Outcome) -> Outcome:
        """Say what a check found and return it."""
        facts = ", ".join(f"{k} {v}" for k, v in outcome.measured.items() if v not in {None, ""})
        sign = "✓" if outcome.passed else "✗"
        self._tell(f"{sign} {outcome.name:16} {outcome.reason or facts or NOTHING}")
        view = self._view
        if outcome.passed:
            self._show(replace(view, passed=(*view.passed, outcome.name)))
        else:
            self._show(replace(view, failed=(*view.failed, (outcome.name, outcome.reason))))
        return outcome

    def end(self, *, passed: bool) -> None:
        """Say the verdict."""
        self._tell(f"{self._view.serial} {'has passed' if passed else 'has failed'} its burn-in.")
        state: State = "passed" if passed else "failed"
        self._show(replace(self._view, state=state, doing="", note=""))

    def give_up(self, reason: str) -> None:
        """Say why there is no verdict: for the unit that is a failure."""
        failed = (*self._view.failed, ("burn-in", reason))
        self._show(replace(self._view, state="failed", doing="", note="", failed=failed))

    def kept(self, where: str) -> None:
        """Say where the certificate is."""
        self._tell(where)
        self._show(replace(self._view, kept=(*self._view.kept, where)))

    def _show(self, view: BurnInView) -> None:
        self._view = view
        if self._screen is None:
            return
        try:
            write_burn_in(self._screen, view)
        except OSError as error:
            log.warning("burn_in_not_shown", reason=error.strerror)
