"""The disk has little room left."""

from collections.abc import Iterator

from allerac.health.check import Check, Finding, Fix, Severity, View, Words, gigabytes

ENOUGH, DANGER = 1.3, 0.25
"""A disk that lives on its reserve is still in danger: the reserve is a gigabyte of five."""


def _look(view: View) -> Iterator[Finding]:
    disk = view.now.machine.disk
    if disk is None:
        return
    short = view.now.short_bytes
    if disk.free < view.limit(short, short * ENOUGH):
        severity: Severity = "critical" if disk.free < short * DANGER else "warning"
        evidence = {"free": gigabytes(disk.free), "total": gigabytes(disk.total)}
        yield Finding(severity, evidence)


CHECK = Check(
    code="disk_nearly_full",
    words={
        "en": Words(
            "The disk is nearly full.",
            "{free} GB of {total} GB are free. Allerac downloads and indexes nothing until there "
            "is room; signing in, deleting and exporting work.",
            "Remove models, documents or conversations that you do not need.",
        ),
        "de": Words(
            "Die Platte ist fast voll.",
            "{free} GB von {total} GB sind frei. Allerac lädt und indiziert nichts, bis wieder "
            "Platz ist; Anmelden, Löschen und Exportieren gehen.",
            "Entferne Modelle, Dokumente oder Gespräche, die du nicht brauchst.",
        ),
    },
    look=_look,
    closes_after_seconds=30,
    page="/box/models",
    fix=Fix(
        "drop_downloads",
        {"en": "Remove unfinished downloads", "de": "Unfertige Downloads entfernen"},
        possible=lambda view, _: view.now.box.unfinished_downloads > 0,
    ),
)
