"""The processor may draw less power than it needs."""

from collections.abc import Iterator
from typing import Final

from allerac.health.check import Check, Finding, View, Words

CLOSE_SHARE: Final = 0.9


def _look(view: View) -> Iterator[Finding]:
    power, wanted = view.now.machine.power, view.now.limits.power_watts
    if power is None or power.limit_watts is None or wanted is None:
        return
    if power.limit_watts < wanted * CLOSE_SHARE:
        yield Finding("notice", {"watts": round(power.limit_watts), "wanted": round(wanted)})


CHECK = Check(
    code="power_limit_low",
    words={
        "en": Words(
            "The processor is held back.",
            "It may draw {watts} watts; this box is made for {wanted}.",
            "Raise the limit called PL1 in the firmware's settings.",
        ),
        "de": Words(
            "Der Prozessor wird gebremst.",
            "Er darf {watts} Watt aufnehmen; diese Box ist für {wanted} gemacht.",
            "Erhöhe in den Einstellungen der Firmware die Grenze namens PL1.",
        ),
    },
    look=_look,
    opens_after_seconds=60,
)
