"""A drive says that it fails, or cannot read what it keeps."""

from collections.abc import Iterator
from typing import Final

from allerac.hardware.sensors import Drive
from allerac.health.check import Check, Evidence, Finding, View, Words

SPARE_PERCENT: Final = 10.0
"""The usual threshold of NVMe drives themselves (NVM Express base specification 5.16.1.3)."""

MANY_BLOCKS: Final = 10
"""A few replaced sectors are normal in a drive's life (assumption)."""


def _look(view: View) -> Iterator[Finding]:
    for drive in view.now.machine.drives:
        evidence: Evidence = {"model": drive.model, "blocks": drive.bad_blocks}
        if drive.failing or _has_no_spare(drive):
            yield Finding("critical", evidence, drive.name)
        elif drive.bad_blocks >= MANY_BLOCKS:
            yield Finding("warning", evidence, drive.name)


def _has_no_spare(drive: Drive) -> bool:
    """Tell whether its spare is used up; a virtual drive keeps none, its threshold is 0."""
    spare = None if drive.spare_threshold_percent == 0 else drive.spare_percent
    return spare is not None and spare < SPARE_PERCENT


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
