"""A cable is slower than it should be."""

from collections.abc import Iterator
from typing import Final

from allerac.health.check import Check, Finding, View, Words

GOOD_MEGABITS: Final = 1000


def _look(view: View) -> Iterator[Finding]:
    for link in view.now.machine.links:
        if link.up and link.megabits is not None and link.megabits < GOOD_MEGABITS:
            yield Finding("notice", {"name": link.name, "megabits": link.megabits}, link.name)


CHECK = Check(
    code="link_slow",
    words={
        "en": Words(
            "The network cable is slow.",
            "{name} runs at {megabits} Mbit/s. A good cable carries 1000.",
            "Try another cable or another socket of the router.",
        ),
        "de": Words(
            "Das Netzwerkkabel ist langsam.",
            "{name} läuft mit {megabits} Mbit/s. Ein gutes Kabel schafft 1000.",
            "Probiere ein anderes Kabel oder eine andere Buchse am Router.",
        ),
    },
    look=_look,
    opens_after_seconds=120,
    closes_after_seconds=60,
)
