"""The mains are away and the battery ends."""

from collections.abc import Iterator
from typing import Final

from allerac.health.check import Check, Finding, View, Words

LOW_PERCENT: Final = 20


def _look(view: View) -> Iterator[Finding]:
    battery = view.now.machine.battery
    if battery is not None and battery.discharging:
        low = battery.percent <= LOW_PERCENT
        yield Finding("critical" if low else "warning", {"percent": battery.percent})


CHECK = Check(
    code="battery_low",
    words={
        "en": Words(
            "The box runs on its battery.",
            "There is no mains power and {percent} % are left. The box will switch off.",
            "Plug it in.",
        ),
        "de": Words(
            "Die Box läuft auf Akku.",
            "Es kommt kein Strom, und {percent} % sind übrig. Die Box wird sich ausschalten.",
            "Steck sie ein.",
        ),
    },
    look=_look,
    opens_after_seconds=30,
    closes_after_seconds=30,
)
