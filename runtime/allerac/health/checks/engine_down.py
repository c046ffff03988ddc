"""No answers: the engine does not run."""

from collections.abc import Iterator
from typing import Final

from allerac.health.check import Check, Finding, Fix, View, Words

DOWN: Final = frozenset({"failed", "starting"})
"""`stopped` is chosen: there is no model on board. `loading` of a large model takes its time, but
not again and again: an engine that dies at every start is seen loading too."""


def _look(view: View) -> Iterator[Finding]:
    engine = view.now.box.engine
    if engine is None:
        return
    again = engine.state == "loading" and engine.last_error is not None
    if engine.state in DOWN or again:
        yield Finding("critical", {"state": engine.state})


def _may_load(view: View, _: Finding) -> bool:
    return view.now.box.engine is not None and not view.now.box.engine.rests


CHECK = Check(
    code="engine_down",
    words={
        "en": Words(
            "The box cannot answer.",
            "The part that thinks does not run. Allerac keeps trying to start it.",
            "Start it again now, or choose another model.",
        ),
        "de": Words(
            "Die Box kann nicht antworten.",
            "Der Teil, der denkt, läuft nicht. Allerac versucht weiter, ihn zu starten.",
            "Starte ihn jetzt neu oder wähle ein anderes Modell.",
        ),
    },
    look=_look,
    opens_after_seconds=30,
    closes_after_seconds=10,
    page="/box/models",
    fix=Fix("restart_engine", {"en": "Start again", "de": "Neu starten"}, _may_load),
)
