"""The time of day is not to be trusted."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from allerac.health.check import Check, Finding, View, Words

BUILT: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""Before this no Allerac was made."""

BELIEVABLE: Final = timedelta(days=365 * 9)
"""Support of a box ends long before."""

JUMP_SECONDS: Final = 3600.0


def _look(view: View) -> Iterator[Finding]:
    now = view.now
    if (
        now.at < BUILT
        or now.at - BUILT > BELIEVABLE
        or (abs(now.box.clock_moved_seconds) >= JUMP_SECONDS and not now.machine.clock_synchronised)
    ):
        yield Finding("warning")


CHECK = Check(
    code="clock_wrong",
    words={
        "en": Words(
            "The clock of the box is wrong.",
            "Its time does not come from the internet, or it has just jumped. Certificates and "
            "schedules depend on it.",
            "Check that the box reaches the internet; the time then comes by itself.",
        ),
        "de": Words(
            "Die Uhr der Box geht falsch.",
            "Ihre Zeit kommt nicht aus dem Internet, oder sie ist gerade gesprungen. Zertifikate "
            "und Zeitpläne hängen davon ab.",
            "Sieh nach, ob die Box ins Internet kommt; die Zeit kommt dann von selbst.",
        ),
    },
    look=_look,
    closes_after_seconds=10,
)
