"""The engine ends again and again, though each new one answers for a while."""

from collections.abc import Iterator
from typing import Final

from allerac.health.check import Check, Finding, View, Words
from allerac.health.figures import ENGINE_RESTARTS

HOUR_SECONDS: Final = 3600.0
MANY, FEW = 5, 1


def _look(view: View) -> Iterator[Finding]:
    times = view.history.growth(ENGINE_RESTARTS, HOUR_SECONDS)
    if times >= view.limit(MANY, FEW):
        yield Finding("warning", {"times": round(times)})


CHECK = Check(
    code="engine_restarting",
    words={
        "en": Words(
            "The box keeps losing its thread.",
            "The part that thinks ended {times} times in the last hour and was started again. "
            "Answers were cut off.",
            "Choose another model. If this stays, send us the support file.",
        ),
        "de": Words(
            "Die Box verliert immer wieder den Faden.",
            "Der Teil, der denkt, hat in der letzten Stunde {times}-mal aufgehört und wurde neu "
            "gestartet. Antworten brachen ab.",
            "Wähle ein anderes Modell. Bleibt es dabei, schick uns die Support-Datei.",
        ),
    },
    look=_look,
    page="/box/models",
)
