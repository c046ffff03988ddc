"""The last backup failed or is old."""

from collections.abc import Iterator
from typing import Final

from allerac.health.check import Check, Finding, View, Words

OLD_DAYS: Final = 3


def _look(view: View) -> Iterator[Finding]:
    backup = view.now.box.backup
    if backup is None or backup.succeeded_at is None:
        return
    days = (view.now.at - backup.succeeded_at).days
    if days >= OLD_DAYS or (backup.failed and days >= 1):
        yield Finding("warning", {"days": days})


CHECK = Check(
    code="backup_old",
    words={
        "en": Words(
            "There is no recent backup.",
            "The last good backup is {days} days old.",
            "Look at the backups: perhaps the drive is not plugged in.",
        ),
        "de": Words(
            "Es gibt keine frische Sicherung.",
            "Die letzte gute Sicherung ist {days} Tage alt.",
            "Sieh bei den Sicherungen nach: Vielleicht steckt das Laufwerk nicht.",
        ),
    },
    look=_look,
    needs_time_of_day=True,
    closes_after_seconds=0,
)
