"""A drive has used up most of the writes it was made for."""

from collections.abc import Iterator

from allerac.health.check import Check, Finding, Severity, View, Words

WORN_PERCENT, DONE_PERCENT = 90.0, 100.0


def _look(view: View) -> Iterator[Finding]:
    for drive in view.now.machine.drives:
        worn = drive.worn_percent
        if worn is not None and worn >= WORN_PERCENT:
            severity: Severity = "warning" if worn < DONE_PERCENT else "critical"
            yield Finding(severity, {"model": drive.model, "percent": round(worn)}, drive.name)


CHECK = Check(
    code="disk_worn",
    words={
        "en": Words(
            "A disk is nearly worn out.",
            "{model} has used {percent} % of the life it was made for.",
            "Back up now and plan to replace it.",
        ),
        "de": Words(
            "Eine Platte ist fast verbraucht.",
            "{model} hat {percent} % der Lebensdauer hinter sich, für die sie gebaut ist.",
            "Sichere jetzt deine Daten und plane einen Austausch ein.",
        ),
    },
    look=_look,
    closes_after_seconds=3600,
)
