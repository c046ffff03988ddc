"""The file system has noted errors."""

from collections.abc import Iterator

from allerac.health.check import Check, Finding, View, Words


def _look(view: View) -> Iterator[Finding]:
    system = view.now.machine.file_system
    if system is not None and system.errors:
        yield Finding("warning", {"errors": system.errors})


CHECK = Check(
    code="file_system_errors",
    words={
        "en": Words(
            "The disk has made mistakes.",
            "Its file system noted {errors} errors. Files may be damaged.",
            "Back up, then restart the box: it repairs the file system while starting.",
        ),
        "de": Words(
            "Die Platte hat Fehler gemacht.",
            "Ihr Dateisystem hat {errors} Fehler vermerkt. Dateien können beschädigt sein.",
            "Sichere deine Daten und starte die Box dann neu: Beim Start repariert sie das "
            "Dateisystem.",
        ),
    },
    look=_look,
)
