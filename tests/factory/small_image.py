"""A disk image with the partitions of an Allerac and little in them, packed and signed."""

import hashlib
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives.serialization import Encoding

from allerac_factory.file_system import make_ext4
from allerac_image.checksums import sign_checksums
from allerac_image.disk import put
from allerac_image.layout import KINDS, MIB, Partition, disk_bytes, places
from allerac_image.partition_table import write_partition_table
from allerac_image.signing import new_authority, new_leaf

SIZES = {
    "esp": 3 * MIB,
    "boot-A": 2 * MIB,
    "boot-B": 2 * MIB,
    "root-A": 12 * MIB,
    "root-B": 12 * MIB,
    "identity": 16 * MIB,
    "data": 64 * MIB,
}
STRIPE_BYTES = MIB // 2
DISK_ID = "8f0d1a3e-2b68-4b0e-9d6b-0c7b9f0e5a01"
NAME = "allerac-vm-9.9.9"


@dataclass(frozen=True, slots=True)
class SmallImage:
    """Where the image lies, who signed it, and the same disk unpacked."""

    folder: Path
    trust: Path
    certificate: Path
    key: Path
    raw: Path

    @classmethod
    def in_folder(cls, folder: Path) -> Self:
        """Return the one that was made below `folder`."""
        certificate, key = folder / "signing.crt", folder / "signing.key"
        return cls(folder / "out", folder / "keyring.pem", certificate, key, folder / f"{NAME}.img")

    def copy(self, to: Path) -> "SmallImage":
        """Return another one at `to`, which is not there yet, that may be changed."""
        _run("cp", "--recursive", "--sparse=always", str(self.raw.parent), str(to))
        return SmallImage.in_folder(to)

    def sign(self) -> None:
        """Write the checksums anew and vouch for them."""
        files = [self.folder / f"{NAME}{end}" for end in (".img.zst", ".bmap")]
        sums = [f"{_sha256(path)}\t{path.name}" for path in files]
        (self.folder / "SHA256SUMS").write_text("\n".join(sums) + "\n")
        sign_checksums(self.folder, self.certificate, self.key)


def make_small_image(
    folder: Path,
    root_bytes: int = SIZES["root-A"],
    stripe_bytes: int = STRIPE_BYTES,
    sector_bytes: int = 512,
) -> SmallImage:
    """Make one below `folder`, in about a second; every other stripe of the root is something."""
    sizes = SIZES | {"root-A": root_bytes, "root-B": root_bytes}
    folder.mkdir(parents=True, exist_ok=True)
    image = SmallImage.in_folder(folder)
    raw, out = image.raw, image.folder
    out.mkdir()
    partitions = [
        Partition(number, label, kind, sizes[label])
        for number, (label, kind) in enumerate(KINDS.items(), 1)
    ]
    with raw.open("wb") as file:
        file.truncate(disk_bytes(partitions))
    ids = [f"{DISK_ID[:-2]}{number:02x}" for number in range(0x10, 0x10 + len(KINDS))]
    write_partition_table(raw, partitions, sector_bytes, DISK_ID, ids)
    contents = {label: _noise(folder, label, sizes[label]) for label in ("esp", "boot-A")}
    contents["root-A"] = _noise(folder, "root-A", root_bytes, stripe_bytes)
    contents |= {label: _ext4(folder, label) for label in ("identity", "data")}
    for partition, offset in places(partitions):
        if partition.label in contents:
            put(contents[partition.label], raw, offset)
            contents[partition.label].unlink()
    _run("bmaptool", "create", "--output", str(out / f"{NAME}.bmap"), str(raw))
    _run("zstd", "-q", "-1", str(raw), "-o", str(out / f"{NAME}.img.zst"))
    authority = new_authority("Small authority", 30)
    leaf = new_leaf(authority, "Small images", 30)
    image.trust.write_bytes(authority.certificate.public_bytes(Encoding.PEM))
    leaf.write(image.certificate, image.key)
    image.sign()
    return image


def flip(path: Path, at: int) -> None:
    """Change one bit of a file."""
    with path.open("r+b") as file:
        file.seek(at)
        (byte,) = file.read(1)
        file.seek(at)
        file.write(bytes([byte ^ 1]))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _noise(folder: Path, label: str, size: int, stripe: int = STRIPE_BYTES) -> Path:
    """Return a file that does not shrink, with holes in it."""
    path = folder / f"{label}.part"
    with path.open("wb") as file:
        for number in range(0, size // stripe, 2):
            file.seek(number * stripe)
            file.write(hashlib.shake_256(f"{label}/{number}".encode()).digest(stripe))
        file.truncate(size)
    return path


def _ext4(folder: Path, label: str) -> Path:
    content, path = folder / label, folder / f"{label}.part"
    content.mkdir()
    if label == "data":
        (content / "allerac" / "models").mkdir(parents=True)
    with path.open("wb") as file:
        file.truncate(SIZES[label])
    make_ext4(path, content, f"allerac-{label}")
    return path


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=120)
