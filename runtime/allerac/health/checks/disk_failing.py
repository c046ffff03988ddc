"""A drive says that it fails, or cannot read what it keeps."""

from collections.abc import Iterator
from typing import Final

from allerac.health.check import Check, Evidence, Finding, View, Words

SPARE_PERCENT: Final = 10.0
"""The usual threshold of NVMe drives themselves (NVM Express base specification 5.16.1.3)."""

MANY_BLOCKS: Final = 10
"""A few replaced sectors are normal in a drive's life (assumption)."""


def _look(view: View) -> Iterator[Finding]:
    for drive in view.now.machine.drives:
        spare = 100.0 if drive.spare_percent is None else drive.spare_percent
        evidence: Evidence = {"model": drive.model, "blocks": drive.bad_blocks}
        if drive.failing or spare < SPARE_PERCENT:
            yield Finding("critical", evidence, drive.name)
        elif drive.bad_blocks >= MANY_BLOCKS:
            yield Finding("warning", evidence, drive.name)


CHECK = Check(
    code="disk_failing",
    words={
        "en": Words(
            "A disk is failing.",
            "{model} reports damage ({blocks} bad blocks).",
            "Back up now, then have the disk replaced. Do not wait.",
        ),
        "de": Words(
            "Eine Platte fällt aus.",
            "{model} meldet Schäden ({blocks} defekte Blöcke).",
            "Sichere jetzt deine Daten und lass die Platte dann ersetzen. Warte nicht.",
        ),
    },
    look=_look,
    closes_after_seconds=3600,
)
