"""A service of the system failed, or starts again and again."""

from collections.abc import Iterator
from typing import Final

from allerac.health.check import Check, Evidence, Finding, View, Words
from allerac.health.figures import unit_restarts
from allerac.health.snapshot import Unit

HOUR_SECONDS: Final = 3600.0
MANY, FEW = 5.0, 1.0
"""New starts in an hour. systemd counts since boot: five in months are nothing to tell."""


def _look(view: View) -> Iterator[Finding]:
    for unit in view.now.box.units:
        if unit.failed or _in_an_hour(view, unit) >= view.limit(MANY, FEW, unit.name):
            evidence: Evidence = {"unit": unit.name, "restarts": unit.restarts}
            yield Finding("warning", evidence, unit.name)


def _in_an_hour(view: View, unit: Unit) -> float:
    """Return how often the unit started anew: as seen, as kept, or in the mean since boot.

    What was before its own start the box has not seen.
    """
    hours_up = max(1.0, view.now.steady / HOUR_SECONDS)
    seen = view.history.growth(unit_restarts(unit.name), HOUR_SECONDS)
    return max(seen, unit.in_an_hour, unit.restarts / hours_up)


CHECK = Check(
    code="unit_failed",
    words={
        "en": Words(
            "A part of the system does not work.",
            "The service {unit} has failed or keeps starting again.",
            "Restart the box. If this stays, send us the support file.",
        ),
        "de": Words(
            "Ein Teil des Systems arbeitet nicht.",
            "Der Dienst {unit} ist ausgefallen oder startet immer wieder.",
            "Starte die Box neu. Bleibt es dabei, schick uns die Support-Datei.",
        ),
    },
    look=_look,
    opens_after_seconds=20,
)
