"""The disk of a machine that `vm` starts: made from an image once, then its own."""

import contextlib
import fcntl
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from .errors import BadInput, ImageError
from .log import say

DISK = "disk.img"
ORIGIN = "made-from.json"


def newest_image(out: Path, tier: str) -> Path:
    """Return the newest disk image of `tier`, packed or not; `BadInput` when there is none."""
    found = [*(out / tier).glob("*.img"), *(out / tier).glob("*.img.zst")]
    if not found:
        raise BadInput(f"There is no image of the tier {tier} yet: make image TIER={tier}")
    return max(found, key=lambda path: path.stat().st_mtime_ns)


@contextlib.contextmanager
def occupied(folder: Path) -> Iterator[Path]:
    """Hold the machine in `folder` against a second start of it."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ImageError(f"The machine in {folder} is running already.") from error
        yield folder


def prepare_disk(image: Path, folder: Path, capacity_bytes: int, *, fresh: bool) -> Path:
    """Return the machine's disk, made from `image` when there is none or `fresh` is asked.

    The disk has at least `capacity_bytes`, which take no room before they are written: like a
    drive that is larger than the image written to it.
    """
    if not image.is_file():
        raise BadInput(f"There is no image {image}.")
    disk, origin = folder / DISK, folder / ORIGIN
    status = image.stat()
    made_from = {"image": image.name, "bytes": status.st_size, "mtime_ns": status.st_mtime_ns}
    if fresh:
        for path in (disk, *folder.glob("OVMF_VARS*")):
            path.unlink(missing_ok=True)
    if disk.exists():
        if not origin.is_file() or json.loads(origin.read_text()) != made_from:
            say(f"  This machine keeps its own disk; {image.name} is another image. Anew: FRESH=1")
        return disk
    say(f"▸ A disk from {image.name}")
    part = disk.with_suffix(".part")
    part.unlink(missing_ok=True)
    _copy(image, part)
    with part.open("ab") as file:
        file.truncate(max(part.stat().st_size, capacity_bytes))
    origin.write_text(json.dumps(made_from))
    part.rename(disk)
    return disk


def _copy(image: Path, to: Path) -> None:
    words = ["cp", "--sparse=always", "--reflink=auto", str(image), str(to)]
    if image.suffix == ".zst":
        words = ["zstd", "-q", "-d", "--sparse", str(image), "-o", str(to)]
    if shutil.which(words[0]) is None:
        raise ImageError(f"{words[0]} is missing: apt-get install {words[0]}")
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        to.unlink(missing_ok=True)
        raise ImageError(f"{image.name} could not be copied: {done.stderr.strip()}")
