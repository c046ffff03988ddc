"""Model files on disk.

models/<model id>/<file>.gguf      appears by rename, complete and verified
models/<model id>/manifest.json    what the file is
downloads/<model id>.part          what has arrived so far
downloads/<model id>.json          where it comes from and how it stands
downloads/held                     ids of those that wait for room, a line each
"""

import contextlib
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from threading import Event
from typing import Annotated, Literal

import structlog
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from allerac.engine.gguf import GgufHeader, read_header
from allerac.errors import ModelDamaged, Unavailable
from allerac.hardware.pin import FileName, ModelId, ModelPin, Sha256

log = structlog.get_logger()

FOLDER_MODE, FILE_MODE = 0o755, 0o644
_BLOCK_BYTES = 4 << 20
_HELD = "held"


class Record(BaseModel):
    """A small file beside a large one."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Manifest(Record):
    """What an installed file is; `damaged` says why it must not be used.

    `tried_at` is when it was first loaded, in a process that might have died of it.
    """

    id: ModelId
    file: FileName
    size_bytes: Annotated[int, Field(gt=0)]
    sha256: Sha256
    verified_at: int
    source: Literal["download", "import"]
    title: str
    family: str
    licence: str
    quantisation: str
    context_length: int
    kv_bytes_per_token: int
    parameters: int
    damaged: str | None = None
    tried_at: int | None = None


def manifest_of(pin: ModelPin) -> Manifest:
    """Describe the file of `pin`, verified now."""
    if pin.size_bytes is None or pin.sha256 is None:
        raise ValueError(f"{pin.id} has no size or hash")
    return Manifest(
        id=pin.id,
        file=pin.file,
        size_bytes=pin.size_bytes,
        sha256=pin.sha256,
        verified_at=now_milliseconds(),
        source="download",
        title=pin.title,
        family=pin.family,
        licence=pin.licence,
        quantisation=pin.quantisation,
        context_length=pin.context_length,
        kv_bytes_per_token=pin.kv_bytes_per_token,
        parameters=pin.active_parameters,
    )


def now_milliseconds() -> int:
    """Milliseconds since the Unix epoch."""
    return time.time_ns() // 1_000_000


class PartRecord(Record):
    """How an unfinished download stands. `etag` is that of the bytes in the part file."""

    id: ModelId
    sha256: Sha256
    etag: str | None = None
    state: Literal["paused", "failed"] = "paused"
    error: tuple[str, str, str] | None = None


class ModelStore:
    """The folders of models and of unfinished downloads."""

    def __init__(self, models: Path, downloads: Path) -> None:
        self._models = models
        self._downloads = downloads

    @property
    def downloads(self) -> Path:
        """The folder of unfinished downloads."""
        return self._downloads

    def prepare(self) -> None:
        """Make the folders and drop what an interrupted import left."""
        self._models.mkdir(parents=True, exist_ok=True)
        self._downloads.mkdir(parents=True, exist_ok=True)
        for leftover in self._downloads.glob("*.tmp"):
            leftover.unlink(missing_ok=True)

    def path(self, manifest: Manifest) -> Path:
        """Where the file of `manifest` is."""
        return self._models / manifest.id / manifest.file

    def manifests(self) -> dict[str, Manifest]:
        """Read all manifests; one that cannot be read is left out and logged."""
        found: dict[str, Manifest] = {}
        for path in sorted(self._models.glob("*/manifest.json")):
            try:
                manifest = Manifest.model_validate_json(path.read_bytes())
            except (OSError, ValidationError):
                log.warning("model_manifest_unreadable", model_id=path.parent.name)
                continue
            if manifest.id == path.parent.name:
                found[manifest.id] = manifest
        return found

    def install(self, manifest: Manifest, file: Path) -> None:
        """Give the verified `file` its final name; durable when this returns.

        The engine may run as another user, who reads model files and nothing else of ours.
        """
        folder = self._models / manifest.id
        folder.mkdir(parents=True, exist_ok=True)
        for readable in (self._models, folder):
            readable.chmod(FOLDER_MODE)
        file.chmod(FILE_MODE)
        _sync(file)
        file.replace(folder / manifest.file)
        _sync(folder)
        self.write_manifest(manifest)
        _sync(self._models)

    def write_manifest(self, manifest: Manifest) -> None:
        """Replace the manifest."""
        _write(self._models / manifest.id / "manifest.json", manifest.model_dump_json(indent=2))

    def remove(self, model_id: str) -> None:
        """Delete the model's folder; the manifest goes first, so a crash leaves no half model."""
        (self._models / model_id / "manifest.json").unlink(missing_ok=True)
        shutil.rmtree(self._models / model_id, ignore_errors=True)

    def part(self, model_id: str) -> Path:
        """Where the bytes of an unfinished download are."""
        return self._downloads / f"{model_id}.part"

    def part_size(self, model_id: str) -> int:
        """How many bytes have arrived."""
        try:
            return self.part(model_id).stat().st_size
        except FileNotFoundError:
            return 0

    def part_records(self) -> dict[str, PartRecord]:
        """Read the records of unfinished downloads; those that cannot be read are dropped."""
        found: dict[str, PartRecord] = {}
        for path in sorted(self._downloads.glob("*.json")):
            try:
                record = PartRecord.model_validate_json(path.read_bytes())
            except (OSError, ValidationError):
                self.drop_part(path.stem)
                continue
            found[record.id] = record
        for path in self._downloads.glob("*.part"):
            if path.stem not in found:
                path.unlink(missing_ok=True)
        return found

    def write_part_record(self, record: PartRecord) -> None:
        """Replace the record of an unfinished download."""
        _write(self._downloads / f"{record.id}.json", record.model_dump_json())

    def held(self) -> tuple[str, ...]:
        """Read which downloads wait for room; none where that cannot be read."""
        try:
            return tuple((self._downloads / _HELD).read_text("utf-8").split())
        except (OSError, ValueError):
            return ()

    def write_held(self, model_ids: Iterable[str]) -> None:
        """Keep which downloads wait for room. Raises `OSError`."""
        _write(self._downloads / _HELD, "".join(f"{model_id}\n" for model_id in model_ids))

    def drop_part(self, model_id: str) -> None:
        """Forget an unfinished download."""
        self.part(model_id).unlink(missing_ok=True)
        (self._downloads / f"{model_id}.json").unlink(missing_ok=True)

    def copy_in(self, source: Path, cancelled: Event) -> tuple[Path, str]:
        """Copy `source` to a temporary file; returns it with its sha256."""
        digest = hashlib.sha256()
        handle, name = tempfile.mkstemp(suffix=".tmp", dir=self._downloads)
        try:
            with os.fdopen(handle, "wb") as target, source.open("rb") as file:
                while block := file.read(_BLOCK_BYTES):
                    _go_on(cancelled)
                    digest.update(block)
                    target.write(block)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        return Path(name), digest.hexdigest()


def check_file(path: Path, *, size_bytes: int, sha256: str, cancelled: Event) -> GgufHeader:
    """Compare size and sha256, then read the header. Blocks; raises `ModelDamaged`."""
    again = "Download it again."
    try:
        found = path.stat().st_size
        if found != size_bytes:
            raise ModelDamaged(
                f"The file has {found:,} bytes; it must have {size_bytes:,}.", hint=again
            )
        if hash_file(path, cancelled) != sha256:
            raise ModelDamaged("The file's content is not what it must be.", hint=again)
    except FileNotFoundError as err:
        raise ModelDamaged("The model file is missing.", hint=again) from err
    except OSError as err:
        raise ModelDamaged("The model file cannot be read.", hint="Check the disk.") from err
    return read_header(path)


def hash_file(path: Path, cancelled: Event) -> str:
    """Return the sha256 of `path`; raises `Unavailable` once `cancelled` is set."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            _go_on(cancelled)
            digest.update(block)
    return digest.hexdigest()


def _go_on(cancelled: Event) -> None:
    if cancelled.is_set():
        raise Unavailable("Allerac is stopping.", hint="Try again in a moment.")


def _write(path: Path, text: str) -> None:
    handle, name = tempfile.mkstemp(suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise
    _sync(path.parent)


def _sync(path: Path) -> None:
    """Flush a file's content or a folder's names to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
