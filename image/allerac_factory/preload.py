"""Models are copied from the station's cache into a unit's data partition, and read again there."""

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from allerac_image.errors import BadInput
from allerac_image.filesystems import ALLERAC
from allerac_image.models import MANIFEST

from .disk import ALIGNMENT
from .errors import UnitFailed
from .file_system import BadFileSystem, Ext4
from .gpt import Entry
from .writing import Progress

FOLDER = "/allerac/models"
"""Of the data partition: one folder for each model, with the file and its manifest."""

READ_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class CachedModel:
    """A model in the cache, laid out as in the runtime's data folder."""

    id: str
    folder: Path
    file: str
    sha256: str
    size_bytes: int


def find_models(cache: Path, names: list[str]) -> list[CachedModel]:
    """Return the models called `names`, each file compared with its manifest now.

    Raises `BadInput` for one that is missing or damaged, before any drive is touched.
    """
    return [_find(cache, name) for name in names]


def copy_models(
    disk: Path, data: Entry, models: list[CachedModel], progress: Progress
) -> dict[str, str]:
    """Copy the models into the data partition; return id → SHA-256 as read from the drive.

    A model counts as written when all of it is. Raises `UnitFailed`.
    """
    system = Ext4(disk, data.offset)
    try:
        system.grow(data.size // ALIGNMENT * ALIGNMENT)
        for model in models:
            system.change(_commands(model))
            progress.done_bytes += model.size_bytes
        system.check()
        _forget_pages(disk)
        found = {model.id: _sha256(system, model, progress) for model in models}
    except BadFileSystem as error:
        raise UnitFailed("models", str(error)) from error
    wrong = [model.id for model in models if found[model.id] != model.sha256]
    if wrong:
        raise UnitFailed("models", f"Read back differently: {', '.join(wrong)}.")
    return found


def _forget_pages(disk: Path) -> None:
    """Have what is read next come from the drive, not from memory."""
    descriptor = os.open(disk, os.O_RDONLY)
    try:
        os.fsync(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(descriptor)


def _find(cache: Path, name: str) -> CachedModel:
    folder = cache / name
    try:
        manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
        path = folder / manifest["file"]
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError, KeyError) as error:
        raise BadInput(
            f"The model {name} is not in {cache}. On a machine with network: "
            f"ALLERAC_DATA_DIR={cache.parent} allerac models pull {name}"
        ) from error
    if found != manifest["sha256"]:
        raise BadInput(f"The kept file of {name} is damaged. Remove {folder} and fetch it again.")
    return CachedModel(name, folder, path.name, found, path.stat().st_size)


def _commands(model: CachedModel) -> list[str]:
    inside = f"{FOLDER}/{model.id}"
    commands = [f"mkdir {inside}"]
    for name in (model.file, MANIFEST):
        commands.append(f'write "{model.folder / name}" {inside}/{name}')
        commands += _owned(f"{inside}/{name}", 0o100644)
    return [*commands, *_owned(inside, 0o040755)]


def _owned(path: str, mode: int) -> list[str]:
    return [f"sif {path} uid {ALLERAC}", f"sif {path} gid {ALLERAC}", f"sif {path} mode 0{mode:o}"]


def _sha256(system: Ext4, model: CachedModel, progress: Progress) -> str:
    total = hashlib.sha256()
    with system.streamed(f"{FOLDER}/{model.id}/{model.file}") as stream:
        while part := stream.read(READ_BYTES):
            total.update(part)
            progress.done_bytes += len(part)
    return total.hexdigest()
