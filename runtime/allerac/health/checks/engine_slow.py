"""The engine is slower than it was on this very machine."""

from collections.abc import Iterator
from typing import Final

from allerac.health.check import Check, Finding, View, Words

WINDOW_SECONDS: Final = 600.0
SLOW_SHARE, FINE_SHARE = 0.5, 0.65
"""Long conversations and company slow it too, so only much slower for long is told."""


def _look(view: View) -> Iterator[Finding]:
    engine = view.now.box.engine
    if engine is None or not engine.record:
        return
    speed = view.history.mean("tokens_per_second", WINDOW_SECONDS)
    if speed is not None and speed < engine.record * view.limit(SLOW_SHARE, FINE_SHARE):
        yield Finding("notice", {"percent": round(100 * speed / engine.record)})


CHECK = Check(
    code="engine_slow",
    words={
        "en": Words(
            "Answers come more slowly than before.",
            "The box writes at {percent} % of its own best speed with this model.",
            "Heat, other programs or a worn disk are the usual causes. See what else is reported "
            "here.",
        ),
        "de": Words(
            "Antworten kommen langsamer als früher.",
            "Die Box schreibt mit {percent} % ihrer eigenen Bestleistung mit diesem Modell.",
            "Meist sind es Hitze, andere Programme oder eine alte Platte. Sieh nach, was hier "
            "noch gemeldet wird.",
        ),
    },
    look=_look,
    opens_after_seconds=300,
    closes_after_seconds=120,
)
