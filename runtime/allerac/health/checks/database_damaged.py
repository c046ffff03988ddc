"""The household's database fails its test."""

from collections.abc import Iterator

from allerac.health.check import Check, Finding, View, Words


def _look(view: View) -> Iterator[Finding]:
    faults = view.now.box.database_faults
    if faults:
        yield Finding("critical", {"faults": len(faults)})


CHECK = Check(
    code="database_damaged",
    words={
        "en": Words(
            "The data of the box is damaged.",
            "The database does not pass its test; some conversations may be lost.",
            "Restore the last backup. Until then change as little as you can.",
        ),
        "de": Words(
            "Die Daten der Box sind beschädigt.",
            "Die Datenbank besteht ihre Prüfung nicht; manche Gespräche können verloren sein.",
            "Spiele die letzte Sicherung ein. Ändere bis dahin so wenig wie möglich.",
        ),
    },
    look=_look,
    closes_after_seconds=0,
)
