"""Programs wait for memory."""

from collections.abc import Iterator
from typing import Final

from allerac.health.check import Check, Finding, View, Words, gigabytes

WINDOW_SECONDS: Final = 60.0
SHORT_SHARE, ENOUGH_SHARE = 0.10, 0.15
DANGER_SHARE: Final = 0.04
WAITING_PERCENT: Final = 10.0
"""Of the time, as PSI counts it; systemd-oomd acts from 60 (oomd.conf(5)), people feel 10."""


def _look(view: View) -> Iterator[Finding]:
    memory = view.now.machine.memory
    if memory is None:
        return
    share = memory.available / memory.total
    waiting = view.history.mean("memory_pressure_percent", WINDOW_SECONDS) or 0.0
    is_short = share < view.limit(SHORT_SHARE, ENOUGH_SHARE)
    if is_short and (waiting >= view.limit(WAITING_PERCENT, 2.0) or share < DANGER_SHARE):
        evidence = {"available": gigabytes(memory.available), "total": gigabytes(memory.total)}
        yield Finding("critical" if share < DANGER_SHARE else "warning", evidence)


CHECK = Check(
    code="memory_pressure",
    words={
        "en": Words(
            "The memory is nearly full.",
            "{available} GB of {total} GB are left, and programs have to wait for it. Allerac "
            "reads shorter conversations until there is room.",
            "Choose a smaller model, or close what else runs on this machine.",
        ),
        "de": Words(
            "Der Speicher ist fast voll.",
            "{available} GB von {total} GB sind übrig, und Programme müssen darauf warten. "
            "Allerac liest kürzere Gespräche, bis wieder Platz ist.",
            "Wähle ein kleineres Modell oder beende, was sonst auf diesem Gerät läuft.",
        ),
    },
    look=_look,
    opens_after_seconds=20,
    closes_after_seconds=60,
    page="/box/models",
)
