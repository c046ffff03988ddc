"""The data can only be read."""

from collections.abc import Iterator

from allerac.health.check import Check, Finding, View, Words


def _look(view: View) -> Iterator[Finding]:
    system = view.now.machine.file_system
    if system is not None and system.read_only:
        yield Finding("critical", {"device": system.device})


CHECK = Check(
    code="file_system_read_only",
    words={
        "en": Words(
            "Nothing can be kept any more.",
            "The disk has gone into a mode in which it can only be read, usually after a fault.",
            "Restart the box. If it stays so, the disk is failing: export what matters to you.",
        ),
        "de": Words(
            "Es kann nichts mehr gespeichert werden.",
            "Die Platte lässt sich nur noch lesen, meist nach einem Fehler.",
            "Starte die Box neu. Bleibt es so, fällt die Platte aus: Exportiere, was dir wichtig "
            "ist.",
        ),
    },
    look=_look,
    closes_after_seconds=10,
)
