"""An image as it is handed on: checked from the signature down before the first byte is written."""

import hashlib
import subprocess
from dataclasses import dataclass
from pathlib import Path

from allerac_image.checksums import verify_checksums
from allerac_image.errors import BadInput
from allerac_image.log import PATH

from .bmap import BlockMap, read_block_map
from .gpt import SECTOR_SIZES, SIGNATURE


@dataclass(frozen=True, slots=True)
class ImageSet:
    """A compressed image, its map, the hash by which the ledger knows it, and what it is made for:
    machines of `tier`, drives with logical sectors of `sector_bytes`.
    """

    image: Path
    sha256: str
    blocks: BlockMap
    tier: str
    sector_bytes: int


def open_image(folder: Path, tier: str, keyring: Path) -> ImageSet:
    """Return the image of `tier` in `folder` when all of it is as it was signed.

    Raises `BadInput` naming what is missing or was changed.
    """
    sums = verify_checksums(folder, keyring)
    image = _only(folder, sums, f"allerac-{tier}-", ".img.zst")
    bmap = _only(folder, sums, f"allerac-{tier}-", ".bmap")
    if image.name.removesuffix(".img.zst") != bmap.name.removesuffix(".bmap"):
        raise BadInput(f"{bmap.name} is not the map of {image.name}.")
    for path in (bmap, image):
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != sums[path.name]:
            raise BadInput(f"{path} is not the file that was signed. Fetch or build it again.")
    blocks = read_block_map(bmap.read_text("utf-8"), bmap.name)
    return ImageSet(image, sums[image.name], blocks, tier, _sector_bytes(image))


def _sector_bytes(image: Path) -> int:
    """Look where its partition table is: in the second sector (UEFI specification 2.10, 5.3.2)."""
    command = ["zstd", "--decompress", "--stdout", "--quiet", str(image)]
    try:
        with subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"PATH": PATH},
        ) as process:
            head = process.stdout.read(2 * max(SECTOR_SIZES)) if process.stdout else b""
            process.kill()  # the rest is read when it is written
    except OSError as error:
        raise BadInput(f"zstd does not unpack {image}: {error.strerror}.") from error
    for size in SECTOR_SIZES:
        if head.startswith(SIGNATURE, size):
            return size
    raise BadInput(f"{image} has no partition table where one belongs. Fetch or build it again.")


def _only(folder: Path, sums: dict[str, str], start: str, end: str) -> Path:
    names = [name for name in sums if name.startswith(start) and name.endswith(end)]
    if len(names) != 1 or not (folder / names[0]).is_file():
        raise BadInput(f"{folder} has no one signed file {start}…{end}.")
    return folder / names[0]
