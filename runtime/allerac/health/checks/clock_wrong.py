"""The time of day is not to be trusted."""

from collections.abc import Iterator
from typing import Final

from allerac.health.check import Check, Finding, View, Words

HOUR_SECONDS: Final = 3600.0


def _look(view: View) -> Iterator[Finding]:
    if view.now.clock_is_wrong:
        hours = round(view.now.box.clock_moved_seconds / HOUR_SECONDS)
        yield Finding("warning", {"date": f"{view.now.at:%Y-%m-%d}", "hours_moved": hours})


CHECK = Check(
    code="clock_wrong",
    words={
        "en": Words(
            "The clock of the box is wrong.",
            "It shows {date}. Its time does not come from the internet, or it has just jumped. "
            "Certificates and schedules depend on it.",
            "Check that the box reaches the internet; the time then comes by itself.",
        ),
        "de": Words(
            "Die Uhr der Box geht falsch.",
            "Sie zeigt {date}. Ihre Zeit kommt nicht aus dem Internet, oder sie ist gerade "
            "gesprungen. Zertifikate und Zeitpläne hängen davon ab.",
            "Sieh nach, ob die Box ins Internet kommt; die Zeit kommt dann von selbst.",
        ),
    },
    look=_look,
    opens_after_seconds=10,
    closes_after_seconds=10,
)
