"""The last update did not work."""

from collections.abc import Iterator

from allerac.health.check import Check, Finding, Fix, View, Words


def _look(view: View) -> Iterator[Finding]:
    update = view.now.box.update
    if update is not None and update.failed is not None:
        yield Finding("notice", {"reason": update.failed})


def _can_be_trusted(view: View, _: Finding) -> bool:
    """Tell whether what is offered would be believed: with a wrong clock all of it has expired."""
    return not view.now.clock_is_wrong


CHECK = Check(
    code="update_failed",
    words={
        "en": Words(
            "An update did not work.",
            "The box went on with the version it had. Nothing is lost.",
            "Try again now, or leave it: the box tries again by itself.",
        ),
        "de": Words(
            "Ein Update hat nicht geklappt.",
            "Die Box läuft mit der Version weiter, die sie hatte. Nichts ist verloren.",
            "Versuche es jetzt noch einmal oder lass es: Die Box versucht es von selbst wieder.",
        ),
    },
    look=_look,
    closes_after_seconds=0,
    page="/box/updates",
    fix=Fix("check_updates", {"en": "Try again", "de": "Noch einmal versuchen"}, _can_be_trusted),
)
