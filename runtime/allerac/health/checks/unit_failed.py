"""A service of the system failed, or starts again and again."""

from collections.abc import Iterator
from typing import Final

from allerac.health.check import Check, Evidence, Finding, View, Words

MANY_RESTARTS: Final = 5


def _look(view: View) -> Iterator[Finding]:
    for unit in view.now.box.units:
        if unit.failed or unit.restarts >= MANY_RESTARTS:
            evidence: Evidence = {"unit": unit.name, "restarts": unit.restarts}
            yield Finding("warning", evidence, unit.name)


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
