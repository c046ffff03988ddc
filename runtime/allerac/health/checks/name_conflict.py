"""Another machine answers to our name."""

from collections.abc import Iterator

from allerac.health.check import Check, Finding, View, Words


def _look(view: View) -> Iterator[Finding]:
    conflict = view.now.box.name_conflict
    if conflict is not None:
        yield Finding("warning", {"name": conflict})


CHECK = Check(
    code="name_conflict",
    words={
        "en": Words(
            "Another device uses the name of this box.",
            "Two devices on this network answer to {name}.",
            "Give the box another name.",
        ),
        "de": Words(
            "Ein anderes Gerät benutzt den Namen dieser Box.",
            "Zwei Geräte in diesem Netz hören auf {name}.",
            "Gib der Box einen anderen Namen.",
        ),
    },
    look=_look,
    opens_after_seconds=30,
    page="/box",
)
