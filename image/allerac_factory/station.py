"""A batch: every drive of it at the same time, each on its own, one book for all."""

import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from allerac_image.errors import ImageError

from .broadcast import Broadcast, Channel
from .drives import Drives
from .errors import IMAGE, UnitFailed
from .history import BEGUN, FAILED, IDENTIFIED, MODELS, READY, REFUSED, WRITTEN
from .identity import Pending, partition_image
from .image_set import ImageSet
from .ledger import Ledger
from .plan import Assignment, drive_name
from .preload import CachedModel, copy_models
from .unpacked import UnpackedImages
from .writing import Progress, drive_faults, fit_table, write_image, write_partition

TELL_SECONDS = 0.5

Facts = Mapping[str, Any]


@dataclass(slots=True)
class Unit:
    """One drive under way."""

    assignment: Assignment
    progress: Progress
    channel: Channel = field(default_factory=Channel)
    failure: UnitFailed | None = None
    is_done: bool = False

    @property
    def serial(self) -> str:
        """Of the unit that it becomes."""
        return self.assignment.serial


@dataclass(frozen=True, slots=True)
class _Said:
    unit: Unit
    act: str
    intended: Facts
    observed: Facts


class Station:
    """Writes the drives of one job.

    `wanted` is written down with every unit; `tell` gets the units about twice a second.
    """

    def __init__(
        self,
        *,
        batch: str,
        wanted: Facts,
        image: ImageSet,
        unpacked: UnpackedImages,
        models: Sequence[CachedModel],
        drives: Drives,
        ledger: Ledger,
        pending: Pending,
        tell: Callable[[Sequence[Unit]], None] = lambda _: None,
    ) -> None:
        self._batch = batch
        self._wanted = wanted
        self._image = image
        self._unpacked = unpacked
        self._models = list(models)
        self._drives = drives
        self._ledger = ledger
        self._pending = pending
        self._tell = tell
        self._inbox: queue.SimpleQueue[_Said] = queue.SimpleQueue()

    def flash(self, assignments: Sequence[Assignment]) -> list[Unit]:
        """Write every accepted drive and return how each went; refusals go into the ledger too.

        Raises `ImageError` before a drive is touched when the image cannot be unpacked.
        """
        for assignment in assignments:
            if not (assignment.is_accepted or assignment.is_finished):
                self._refuse(assignment)
        accepted = [one for one in assignments if one.is_accepted]
        if not accepted:
            return []
        source = self._unpacked.get(self._image)
        units = [self._begin(one) for one in accepted]
        channels = [unit.channel for unit in units]
        broadcast = Broadcast(source, self._image.blocks, channels)
        for work in [broadcast.run, *(self._worker(unit) for unit in units)]:
            threading.Thread(target=work, daemon=True).start()
        while not all(unit.is_done for unit in units):
            self._listen(units)
        if any(unit.failure and unit.failure.cause == IMAGE for unit in units):
            self._unpacked.discard(self._image)
        return units

    def _begin(self, assignment: Assignment) -> Unit:
        drive = assignment.drive
        if drive is None:
            raise ImageError("A drive that is not there was accepted.")
        self._ledger.add(
            BEGUN,
            batch=self._batch,
            unit=assignment.serial,
            intended={
                **self._wanted,
                "drive": drive_name(drive),
                "image_sha256": self._image.sha256,
            },
            observed={
                "path": str(drive.path),
                "drive_model": drive.model,
                "drive_serial": drive.serial,
                "drive_bytes": drive.size_bytes,
                "port": drive.port,
            },
        )
        models = sum(model.size_bytes for model in self._models)
        return Unit(assignment, Progress(2 * (self._image.blocks.mapped_bytes + models)))

    def _refuse(self, assignment: Assignment) -> None:
        drive = assignment.drive
        self._ledger.add(
            REFUSED,
            batch=self._batch,
            unit=assignment.serial,
            intended={"target": assignment.target.name},
            observed={
                "drive": drive_name(drive) if drive else "",
                "reasons": list(assignment.refusals),
            },
        )

    def _listen(self, units: Sequence[Unit]) -> None:
        deadline = time.monotonic() + TELL_SECONDS
        while (left := deadline - time.monotonic()) > 0:
            try:
                said = self._inbox.get(timeout=left)
            except queue.Empty:
                break
            self._ledger.add(
                said.act,
                batch=self._batch,
                unit=said.unit.serial,
                intended=said.intended,
                observed=said.observed,
            )
            said.unit.is_done = said.act in {READY, FAILED}
            if said.unit.is_done:
                break
        self._tell(units)

    def _worker(self, unit: Unit) -> Callable[[], None]:
        def work() -> None:
            try:
                self._make(unit)
            except UnitFailed as failure:
                self._fail(unit, failure)
            except Exception as error:  # noqa: BLE001  the others must go on, and this one be told
                self._fail(unit, UnitFailed("station", f"{type(error).__name__}: {error}"))
            finally:
                unit.channel.close()

        return work

    def _fail(self, unit: Unit, failure: UnitFailed) -> None:
        unit.failure = failure
        unit.progress.doing = failure.cause
        self._say(unit, FAILED, observed={"cause": failure.cause, "message": str(failure)})

    def _say(
        self, unit: Unit, act: str, intended: Facts | None = None, observed: Facts | None = None
    ) -> None:
        self._inbox.put(_Said(unit, act, intended or {}, observed or {}))

    def _make(self, unit: Unit) -> None:
        drive, progress, blocks = unit.assignment.drive, unit.progress, self._image.blocks
        if drive is None:
            return
        began = time.monotonic()
        with drive_faults():
            disk = self._drives.open(drive)
        try:
            writing = write_image(disk, blocks, unit.channel, progress)
            table = fit_table(disk, drive.sector_bytes, "data" if self._models else None)
            seconds = round(time.monotonic() - began, 2)
            self._say(
                unit,
                WRITTEN,
                {"bytes": blocks.mapped_bytes, "image_sha256": self._image.sha256},
                {
                    "read_back_bytes": progress.read_back_bytes,
                    "seconds": seconds,
                    "write_seconds": round(writing, 3),
                    "parts": table.ids,
                },
            )
            progress.doing = "identity"
            identity = self._pending.get_or_make(
                unit.serial, self._image.tier, burn_in=bool(self._wanted["burn_in"])
            )
            partition = table.partition("identity")
            content = partition_image(self._pending.files(unit.serial), partition.size)
            found = write_partition(disk, partition.offset, content)
            self._say(
                unit,
                IDENTIFIED,
                {"serial": unit.serial},
                {
                    "device_id": identity.device_id,
                    "flash_id": self._pending.flash_id(unit.serial),
                    "suffix": identity.suffix,
                    "key_fingerprint": identity.fingerprint,
                    "device_pub": (self._pending.files(unit.serial) / "device.pub").read_text(),
                    "partition_sha256": found,
                },
            )
        finally:
            disk.close()
        if self._models:
            progress.doing = "models"
            wanted = {model.id: model.sha256 for model in self._models}
            copied = copy_models(drive.path, table.partition("data"), self._models, progress)
            self._say(unit, MODELS, {"models": wanted}, {"models": copied})
        progress.doing = "ready"
        self._say(unit, READY, observed={"seconds": round(time.monotonic() - began, 2)})
