"""Images unpacked once on this station: sparse files that every batch is written from.

A copy is known by the hash of the signed file it came from, and never believed for it: every block
is compared with the signed map while it is written (`broadcast`). One that was changed costs a run.
"""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from allerac_image.errors import BadInput, ImageError
from allerac_image.log import PATH, ended_together
from allerac_release.files import alone, part_of, put_in_place, remove_parts

from .image_set import ImageSet

KEPT = 2
"""Images: the one that is written now, and the one before it."""

TELL_SECONDS = 0.5
GB = 1e9


class UnpackedImages:
    """The copies in `folder`. `tell` gets the share that is done, and 1 when all is."""

    def __init__(self, folder: Path, tell: Callable[[float], None] = lambda _: None) -> None:
        self._folder = folder
        self._tell = tell

    def get(self, image: ImageSet) -> Path:
        """Return the copy of `image`, made now if there is none.

        Raises `BadInput` when the folder cannot be used or has no room, or while another station
        unpacks here, and `ImageError` when the image cannot be unpacked to what its map says.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with alone(self._folder):
                return self._get_alone(image)
        except OSError as error:
            raise BadInput(f"{self._folder} cannot hold images: {error.strerror}.") from error

    def _get_alone(self, image: ImageSet) -> Path:
        path = self._path(image)
        remove_parts(self._folder)
        if not (path.is_file() and path.stat().st_size == image.blocks.image_bytes):
            self._make_room(path, image)
            self._unpack(image, path)
        path.touch()
        return path

    def discard(self, image: ImageSet) -> None:
        """Remove a copy that is not what was signed."""
        self._path(image).unlink(missing_ok=True)

    def _path(self, image: ImageSet) -> Path:
        return self._folder / f"{image.sha256}.img"

    def _make_room(self, path: Path, image: ImageSet) -> None:
        path.unlink(missing_ok=True)
        copies = sorted(self._folder.glob("*.img"), key=_last_used, reverse=True)
        for copy in copies[KEPT - 1 :]:
            copy.unlink()
        free, needed = shutil.disk_usage(self._folder).free, image.blocks.mapped_bytes
        if free < needed:
            raise BadInput(
                f"The unpacked image takes {needed / GB:.1f} GB, {self._folder} has "
                f"{free / GB:.1f}: make room, or name another folder by --cache."
            )

    def _unpack(self, image: ImageSet, path: Path) -> None:
        part, name = part_of(path), image.image.name
        command = ["zstd", "--decompress", "--quiet", "--sparse", str(image.image), "-o", str(part)]
        with (
            subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                env={"PATH": PATH},
                start_new_session=True,
            ) as process,
            ended_together(process),
        ):
            said = self._watch(process, part, image.blocks.mapped_bytes)
        if process.returncode != 0:
            part.unlink(missing_ok=True)
            raise ImageError(f"{name} cannot be unpacked: {said.decode(errors='replace').strip()}")
        if part.stat().st_size != image.blocks.image_bytes:
            part.unlink()
            raise ImageError(f"{name} is not as large as its map says.")
        put_in_place(part, path)
        self._tell(1.0)

    def _watch(self, process: subprocess.Popen[bytes], part: Path, total: int) -> bytes:
        """Wait for the end and return what was said on standard error."""
        while True:
            try:
                _, said = process.communicate(timeout=TELL_SECONDS)
            except subprocess.TimeoutExpired:
                done = part.stat().st_blocks * 512 if part.exists() else 0  # stat(2) counts so
                self._tell(min(done / total, 0.99))
            else:
                return said


def _last_used(copy: Path) -> int:
    return copy.stat().st_mtime_ns
