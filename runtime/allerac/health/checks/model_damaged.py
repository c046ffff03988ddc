"""A model's file is not what it was."""

from collections.abc import Iterator

from allerac.health.check import Check, Finding, Fix, View, Words


def _look(view: View) -> Iterator[Finding]:
    for model in view.now.box.damaged_models:
        yield Finding("warning", {"model": model}, model)


CHECK = Check(
    code="model_damaged",
    words={
        "en": Words(
            "A model is damaged.",
            "The file of {model} is not what it should be, so it is not used.",
            "Download it again.",
        ),
        "de": Words(
            "Ein Modell ist beschädigt.",
            "Die Datei von {model} ist nicht, was sie sein soll, und wird nicht benutzt.",
            "Lade es noch einmal.",
        ),
    },
    look=_look,
    closes_after_seconds=0,
    page="/box/models",
    fix=Fix("fetch_model", {"en": "Download again", "de": "Noch einmal laden"}),
)
