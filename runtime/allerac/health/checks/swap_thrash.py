"""Memory is moved to the disk and back without end."""

from collections.abc import Iterator
from typing import Final

from allerac.health.check import Check, Finding, View, Words

WINDOW_SECONDS: Final = 120.0
MANY_PAGES, FEW_PAGES = 1000.0, 200.0
"""4 MB a second of 4 KiB pages (assumption): more than a program that has gone to sleep."""


def _look(view: View) -> Iterator[Finding]:
    pages = view.history.mean("swapped_pages_per_second", WINDOW_SECONDS)
    if pages is not None and pages >= view.limit(MANY_PAGES, FEW_PAGES):
        yield Finding("warning", {"pages": round(pages)})


CHECK = Check(
    code="swap_thrash",
    words={
        "en": Words(
            "The box moves memory to the disk and back.",
            "{pages} pages a second for minutes: this makes everything slow and wears the disk.",
            "Choose a smaller model.",
        ),
        "de": Words(
            "Die Box lagert Speicher auf die Platte aus und wieder ein.",
            "{pages} Seiten in der Sekunde, seit Minuten: Das macht alles langsam und nutzt die "
            "Platte ab.",
            "Wähle ein kleineres Modell.",
        ),
    },
    look=_look,
    opens_after_seconds=60,
    closes_after_seconds=120,
    page="/box/models",
)
