"""Who a unit is: made once at the station, kept there until its label is proven, then forgotten.

The partition gets a small file for each fact, as `allerac.appliance.identity` reads them:

serial           what is printed on the label
tier             of the job; the burn-in holds the machine against it
flash-id         random, another at each writing of the drive; the birth certificate repeats it
device-id        random, never shown to people
hostname-suffix  four signs, allerac-XXXX.local
claim-code.hash  Argon2id of the claim code; the code itself is on the label only
rescue/codes     the same code's scrypt hash, for the page that answers when nothing else does
device.key       ECDSA P-256, PKCS #8, readable by root only
device.pub       its public half
device.tpm       in place of the key once the unit has made one in its TPM, which no other opens
factory-mode     there until the unit has passed its burn-in; where the job has one

A TPM in the unit cannot be reached from the station that writes its drive: the unit itself makes a
key there at its first start, and the birth certificate brings the public half.
"""

import hashlib
import os
import secrets
import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_public_key,
)

from allerac_image.errors import ImageError
from allerac_image.filesystems import ALLERAC
from allerac_release.files import write_whole

from .claim_codes import OWASP, Effort, hash_claim_code, is_claim_code, new_claim_code, rescue_line
from .file_system import Ext4, make_ext4

SUFFIX_SIGNS = "abcdefghjkmnpqrstuvwxyz23456789"
SUFFIX_LENGTH = 4
FACTORY_MODE = "factory-mode"
TIER = "tier"
FLASH_ID = "flash-id"
CODE = "claim-code"
FOLDER = "identity"
LABEL = "allerac-identity"
KEPT = ("serial", "device-id", "hostname-suffix", "claim-code.hash", "device.pub")
"""Facts that stay when a unit keeps its identity."""

KEYS = ("device.key", "device.tpm")
"""Of which one stays too, or both of a unit that has not passed yet."""

RESCUE = "rescue"
RESCUE_CODES = "rescue/codes"
OF_THE_LABEL = b"label:"
MODES = {
    **dict.fromkeys(KEYS, (0, 0o600)),
    "claim-code.hash": (ALLERAC, 0o400),
    RESCUE: (ALLERAC, 0o750),
    RESCUE_CODES: (ALLERAC, 0o640),
}
"""Path → owner and mode; the others are root's and everybody may read them."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What the ledger and the label need; `claim_code` is empty once it was forgotten."""

    serial: str
    device_id: str
    suffix: str
    fingerprint: str
    claim_code: str

    @property
    def address(self) -> str:
        """Where the box answers at home."""
        return f"https://allerac-{self.suffix}.local"

    @property
    def shown_code(self) -> str:
        """The claim code as people read it."""
        return f"{self.claim_code[:4]}-{self.claim_code[4:]}"


class Pending:
    """Identities of units that are not released yet, in a folder that only root reads."""

    def __init__(self, folder: Path, effort: Effort = OWASP) -> None:
        self._folder = folder
        self._effort = effort

    def get_or_make(self, serial: str, tier: str, *, burn_in: bool = True) -> Identity:
        """Return the identity of the unit `serial`; a station that was killed finds it again.

        The tier is the job's, and whether the unit begins with a burn-in: one that keeps its
        identity may become one of another.
        """
        place = self._folder / serial
        if not place.exists():
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with TemporaryDirectory(dir=self._folder, prefix=".new-") as name:
                _make(Path(name) / serial, serial, self._effort)
                _sync(Path(name) / serial)
                (Path(name) / serial).rename(place)
            _sync(self._folder)
        write_whole(self.files(serial) / TIER, f"{tier}\n".encode())
        write_whole(self.files(serial) / FLASH_ID, f"{uuid.uuid4()}\n".encode())
        (self.files(serial) / FACTORY_MODE).unlink(missing_ok=True)
        if burn_in:
            write_whole(self.files(serial) / FACTORY_MODE, b"")
        return self.read(serial)

    def adopt(self, serial: str, identity: Path) -> None:
        """Keep the facts of a unit that comes back; its claim code is on its label only.

        Raises `ImageError` when the unit has not all of them.
        """
        missing = [name for name in KEPT if not (identity / name).is_file()]
        keys = [name for name in KEYS if (identity / name).is_file()]
        missing += [] if keys else KEYS[:1]
        if missing:
            raise ImageError(f"{serial} has no {', '.join(missing)}: give it a new identity.")
        self.forget(serial)
        folder = self._folder / serial / FOLDER
        folder.mkdir(parents=True, mode=0o700)
        for name in (*KEPT, *keys):
            _write(folder / name, (identity / name).read_bytes())
        if (identity / RESCUE_CODES).is_file():
            lines = (identity / RESCUE_CODES).read_bytes().splitlines(keepends=True)
            (folder / RESCUE).mkdir()
            _write(folder / RESCUE_CODES, b"".join(x for x in lines if x.startswith(OF_THE_LABEL)))
        _write(self._folder / serial / CODE, b"")

    def is_code(self, serial: str, code: str) -> bool:
        """Tell whether `code` is the one whose hash the unit has."""
        encoded = (self.files(serial) / "claim-code.hash").read_text().strip()
        return is_claim_code(encoded, code)

    def read(self, serial: str) -> Identity:
        """Return an identity that is there."""
        folder = self._folder / serial / FOLDER
        return Identity(
            serial=serial,
            device_id=(folder / "device-id").read_text().strip(),
            suffix=(folder / "hostname-suffix").read_text().strip(),
            fingerprint=fingerprint_of((folder / "device.pub").read_bytes()),
            claim_code=(self._folder / serial / CODE).read_text(),
        )

    def flash_id(self, serial: str) -> str:
        """Return which writing of the unit's drive this is."""
        return (self.files(serial) / FLASH_ID).read_text().strip()

    def files(self, serial: str) -> Path:
        """Return the folder that becomes the unit's partition."""
        return self._folder / serial / FOLDER

    def forget(self, serial: str) -> None:
        """Remove the claim code and the key: the unit has them, nobody else."""
        shutil.rmtree(self._folder / serial, ignore_errors=True)


def partition_image(folder: Path, size: int) -> bytes:
    """Return a file system of `size` bytes that holds an identity."""
    with TemporaryDirectory(prefix="allerac-identity-") as name:
        image = Path(name) / "identity.img"
        with image.open("wb") as file:
            file.truncate(size)
        make_ext4(image, folder, LABEL)
        commands = ["sif / mode 0040755"]
        for path in sorted(folder.rglob("*")):
            name = str(path.relative_to(folder))
            owner, mode = MODES.get(name, (0, 0o644))
            kind = 0o040000 if path.is_dir() else 0o100000
            commands += [f"sif /{name} uid {owner}", f"sif /{name} gid {owner}"]
            commands.append(f"sif /{name} mode 0{kind | mode:o}")
        system = Ext4(image, 0)
        system.change(commands)
        system.check()
        return image.read_bytes()


def fingerprint_of(public: bytes) -> str:
    """Return the SHA-256 of a public key in PEM, over its DER form, in hexadecimal."""
    key = load_pem_public_key(public)
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise ImageError("A device key is ECDSA; this one is not.")
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()


def _make(place: Path, serial: str, effort: Effort) -> None:
    folder = place / FOLDER
    folder.mkdir(parents=True, mode=0o700)
    key = ec.generate_private_key(ec.SECP256R1())
    code = new_claim_code()
    suffix = "".join(secrets.choice(SUFFIX_SIGNS) for _ in range(SUFFIX_LENGTH))
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    contents = {
        "serial": f"{serial}\n".encode(),
        "device-id": f"{uuid.uuid4()}\n".encode(),
        "hostname-suffix": f"{suffix}\n".encode(),
        "claim-code.hash": f"{hash_claim_code(code, effort)}\n".encode(),
        "device.key": private,
        "device.pub": public,
        RESCUE_CODES: f"{rescue_line(code, effort)}\n".encode(),
    }
    (folder / RESCUE).mkdir()
    for name, content in contents.items():
        _write(folder / name, content)
    _write(place / CODE, code.encode())
    _sync(folder)


def _write(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
