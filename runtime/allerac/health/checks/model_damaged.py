"""A model's file is not what it was."""

from collections.abc import Iterator

from allerac.health.check import Check, Finding, Fix, View, Words


def _look(view: View) -> Iterator[Finding]:
    for model in view.now.box.damaged_models:
        yield Finding("warning", {"model": model}, model)


def _can_be_fetched(view: View, finding: Finding) -> bool:
    disk = view.now.machine.disk
    has_room = disk is None or disk.free >= view.now.short_bytes
    return has_room and finding.subject in view.now.box.offered_models


CHECK = Check(
    code="model_damaged",
    words={
        "en": Words(
            "A model is damaged.",
            "The file of {model} is not what it should be, so it is not used.",
            "Download it again. If it came from a file of yours, remove it and take that in again.",
        ),
        "de": Words(
            "Ein Modell ist beschädigt.",
            "Die Datei von {model} ist nicht, was sie sein soll, und wird nicht benutzt.",
            "Lade es noch einmal. Kam es aus einer eigenen Datei, entferne es und nimm sie neu "
            "auf.",
        ),
    },
    look=_look,
    closes_after_seconds=0,
    page="/box/models",
    fix=Fix("fetch_model", {"en": "Download again", "de": "Noch einmal laden"}, _can_be_fetched),
)
