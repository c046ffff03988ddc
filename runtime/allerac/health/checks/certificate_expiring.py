"""The certificate of the box ends soon."""

from collections.abc import Iterator

from allerac.health.check import Check, Finding, View, Words

SOON_DAYS, LAST_DAYS = 14, 3
"""The box renews long before; within these days something keeps it from doing so."""


def _look(view: View) -> Iterator[Finding]:
    ends = view.now.box.certificate_expires_at
    if ends is None:
        return
    days = (ends - view.now.at).days
    if days < SOON_DAYS:
        yield Finding("notice" if days >= LAST_DAYS else "warning", {"days": max(0, days)})


CHECK = Check(
    code="certificate_expiring",
    words={
        "en": Words(
            "The box's certificate ends soon.",
            "In {days} days browsers will warn of this box. Usually it renews itself.",
            "Restart the box. If this stays, check its clock.",
        ),
        "de": Words(
            "Das Zertifikat der Box läuft ab.",
            "In {days} Tagen warnen Browser vor dieser Box. Sonst erneuert es sich von selbst.",
            "Starte die Box neu. Bleibt es dabei, prüfe ihre Uhr.",
        ),
    },
    look=_look,
    needs_time_of_day=True,
    opens_after_seconds=600,
    closes_after_seconds=0,
)
