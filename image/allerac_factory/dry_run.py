"""What a job would do, as a table."""

from collections.abc import Iterator, Sequence

from .drives import Drive
from .plan import Assignment
from .table import columns

NOTHING = "-"
CONTENTS = {"blank": "blank", "allerac": "Allerac", "other": "something else"}


def preview(assignments: Sequence[Assignment], drives: Sequence[Drive]) -> list[str]:
    """Return lines: every drive of the job and what happens to it, then those left alone."""
    rows = [("DRIVE", "SERIAL", "SIZE", "HOLDS", "BECOMES")]
    rows += [_row(assignment) for assignment in assignments]
    chosen = {assignment.drive.path for assignment in assignments if assignment.drive}
    rows += [
        (str(drive.path), drive.serial or NOTHING, _size(drive), NOTHING, "not on the job's list")
        for drive in drives
        if drive.path not in chosen
    ]
    accepted = sum(assignment.is_accepted for assignment in assignments)
    return [*columns(rows), "", f"{accepted} of {len(assignments)} would be written."]


def refused(assignments: Sequence[Assignment]) -> Iterator[str]:
    """Yield a line for each drive that is left alone."""
    for assignment in assignments:
        if not assignment.is_accepted:
            yield f"{assignment.target.name}: {'; '.join(assignment.refusals)}"


def _row(assignment: Assignment) -> tuple[str, str, str, str, str]:
    drive, contents = assignment.drive, assignment.contents
    becomes = assignment.serial if assignment.is_accepted else "; ".join(assignment.refusals)
    if drive is None:
        return (assignment.target.name, NOTHING, NOTHING, NOTHING, becomes)
    holds = NOTHING if contents is None else CONTENTS[contents.kind]
    if contents is not None and contents.serial:
        holds = f"Allerac {contents.serial}"
    return (str(drive.path), drive.serial or NOTHING, _size(drive), holds, becomes)


def _size(drive: Drive) -> str:
    return f"{drive.size_bytes / 1e9:.1f} GB"
