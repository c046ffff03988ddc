"""Which drive becomes which unit, and which drives are left alone and why."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from .contents import Contents
from .drives import Drive
from .job import Job, Target
from .placeholders import is_placeholder

LAST = 4
"""Signs of a serial that a person types to give up a claimed Allerac."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What a drive must have for the image."""

    capacity_bytes: int
    sector_bytes: int


@dataclass(frozen=True, slots=True)
class Issued:
    """What the ledger knows: serials of units by the name of the drive they went to."""

    serials: Collection[str] = ()
    unfinished: Mapping[str, str] = field(default_factory=dict)
    """Drive → serial of the unit that was begun on it in this batch."""

    torn: Collection[str] = ()
    """Drives that this station had begun to write, and did not finish."""

    finished: Mapping[str, str] = field(default_factory=dict)
    """Serial of a finished unit → drive."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """One drive of the job. Without `refusals` it is written and becomes the unit `serial`.

    A finished one is that unit already and is refused for this reason alone.
    """

    target: Target
    drive: Drive | None
    contents: Contents | None
    serial: str
    refusals: tuple[str, ...]
    is_finished: bool = False

    @property
    def is_accepted(self) -> bool:
        """Whether it may be written."""
        return not self.refusals


def drive_name(drive: Drive) -> str:
    """Return what tells this drive from others: its serial, or its place when it has none."""
    return drive.serial or drive.port or str(drive.path)


class Planner:
    """Judges the drives of one job.

    `look` tells what a drive carries; it is asked only about drives that may be written otherwise.
    `given_up` holds last signs of the serials of claimed units that somebody typed.
    """

    def __init__(
        self,
        job: Job,
        needs: Needs,
        issued: Issued,
        look: Callable[[Drive], Contents],
        given_up: Collection[str] = (),
    ) -> None:
        self._job = job
        self._needs = needs
        self._issued = issued
        self._look = look
        self._given_up = {signs.upper() for signs in given_up}

    def plan(self, drives: Sequence[Drive]) -> list[Assignment]:
        """Return an assignment for each target, at most `count` of them accepted."""
        found = [_match(target, drives) for target in self._job.targets]
        twice = _repeated(drive.serial for drive in drives)
        same_drive = _repeated(str(drive.path) for drive in found if drive)
        serials = self._serials()
        assignments: list[Assignment] = []
        for target, drive in zip(self._job.targets, found, strict=True):
            contents, refusals = self._judge(drive, twice)
            if drive is not None and str(drive.path) in same_drive:
                refusals.append("two targets name this drive")
            if drive is not None and not refusals and self._is_finished(drive, contents):
                serial = contents.serial if contents else ""
                done = (f"is finished already: {serial}",)
                assignments.append(Assignment(target, drive, contents, serial, done, True))
                continue
            refusals += self._precious(drive, contents)
            if not refusals and _count(assignments) == self._job.count:
                refusals.append(f"the job makes {self._job.count}")
            serial = ""
            if drive is not None and not refusals:
                serial = self._serial_for(target, drive, serials)
                refusals += self._judge_serial(serial, drive)
            assignments.append(Assignment(target, drive, contents, serial, tuple(refusals)))
        return assignments

    def _judge(self, drive: Drive | None, twice: set[str]) -> tuple[Contents | None, list[str]]:
        if drive is None:
            return None, ["not there"]
        refusals = list(_unfit(drive, self._needs, self._job.tier))
        if drive.serial in twice:
            refusals.append(f"another drive says it is {drive.serial} too")
        if refusals:
            return None, refusals
        try:
            return self._look(drive), []
        except OSError as error:
            return None, [f"cannot be read: {error.strerror}"]

    def _is_finished(self, drive: Drive, contents: Contents | None) -> bool:
        serial = contents.serial if contents else ""
        return bool(serial) and self._issued.finished.get(serial) == drive_name(drive)

    def _precious(self, drive: Drive | None, contents: Contents | None) -> Iterator[str]:
        if drive is None or contents is None:
            return
        if contents.torn and drive_name(drive) in self._issued.torn:
            return
        known = contents.serial or drive.serial
        if contents.claimed and (not known or known[-LAST:].upper() not in self._given_up):
            name = contents.serial or "without a readable serial"
            yield f"holds a claimed Allerac, {name}: type the serial's last {LAST} to give it up"

    def _serials(self) -> Iterator[str]:
        scheme = self._job.serials
        used = {scheme.number_of(serial) for serial in self._issued.serials}
        wanted = {scheme.number_of(target.unit) for target in self._job.targets if target.unit}
        number = scheme.first
        while True:
            if number not in used | wanted:
                yield scheme.serial(number)
            number += 1

    def _serial_for(self, target: Target, drive: Drive, serials: Iterator[str]) -> str:
        begun = self._issued.unfinished.get(drive_name(drive))
        return target.unit or begun or next(serials)

    def _judge_serial(self, serial: str, drive: Drive) -> Iterator[str]:
        begun = self._issued.unfinished.get(drive_name(drive))
        if serial in self._issued.serials and serial != begun:
            yield f"the serial {serial} was given to another unit"


def _match(target: Target, drives: Sequence[Drive]) -> Drive | None:
    for drive in drives:
        if (
            (target.path is not None and drive.path == target.path.resolve())
            or (target.drive is not None and drive.serial == target.drive)
            or (target.port is not None and drive.port == target.port)
        ):
            return drive
    return None


def _unfit(drive: Drive, needs: Needs, tier: str) -> Iterator[str]:
    if drive.is_system:
        yield "this machine runs from it"
    elif drive.mounted:
        yield f"mounted at {', '.join(drive.mounted)}"
    if drive.held_by:
        yield f"in use by {', '.join(drive.held_by)}"
    if drive.read_only:
        yield "read-only"
    if drive.size_bytes < needs.capacity_bytes:
        yield (
            f"too small: {drive.size_bytes / 1e9:.1f} GB, "
            f"the tier needs {needs.capacity_bytes / 1e9:.1f}"
        )
    if drive.sector_bytes != needs.sector_bytes:
        yield (
            f"has sectors of {drive.sector_bytes} bytes, the image is for {needs.sector_bytes}: "
            f"it takes one built with --tier {tier} --sector-bytes {drive.sector_bytes}"
        )
    if drive.serial and is_placeholder(drive.serial):
        yield f"its serial {drive.serial!r} is a placeholder"


def _repeated(names: Iterable[str]) -> set[str]:
    return {name for name, count in Counter(names).items() if name and count > 1}


def _count(assignments: Sequence[Assignment]) -> int:
    return sum(one.is_accepted or one.is_finished for one in assignments)
