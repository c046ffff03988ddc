"""A cable comes and goes."""

from collections.abc import Iterator
from typing import Final

from allerac.health.check import Check, Finding, View, Words
from allerac.health.figures import link_changes

WINDOW_SECONDS: Final = 600.0
MANY, FEW = 8, 2
"""Changes of the carrier: each loss and return is two; a router that restarts makes two to four."""


def _look(view: View) -> Iterator[Finding]:
    for link in view.now.machine.links:
        changes = view.history.growth(link_changes(link.name), WINDOW_SECONDS)
        if changes >= view.limit(MANY, FEW, link.name):
            yield Finding("warning", {"name": link.name, "times": round(changes) // 2}, link.name)


CHECK = Check(
    code="link_flapping",
    words={
        "en": Words(
            "The network cable has a loose contact.",
            "{name} was lost and found {times} times in ten minutes.",
            "Push both plugs in until they click, or try another cable.",
        ),
        "de": Words(
            "Das Netzwerkkabel hat einen Wackelkontakt.",
            "{name} war in zehn Minuten {times}-mal weg und wieder da.",
            "Drücke beide Stecker hinein, bis sie klicken, oder probiere ein anderes Kabel.",
        ),
    },
    look=_look,
    closes_after_seconds=120,
)
