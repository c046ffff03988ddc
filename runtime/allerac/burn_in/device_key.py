"""The unit's own key: in its TPM from the first start on, on the identity partition without one.

The station cannot reach the TPM of the machine that a drive will be built into, so it gives every
unit a key on its partition. At the first start the TPM makes another one, and the first vouches for
it; once the unit has passed, the first is removed. The certificate tells the station which it was.

    device.key  ECDSA P-256, PKCS #8 in PEM: the station's
    device.pub  the public half of the one that holds
    device.tpm  JSON: the TPM's blobs in base64, the public half, what vouches for it and since when
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal, Protocol

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from allerac.appliance.files import replace_file
from allerac.appliance.tpm import SealedKey, Tpm
from allerac.errors import InvalidInput, Unavailable

STATIONS: Final = "device.key"
PUBLIC: Final = "device.pub"
IN_TPM: Final = "device.tpm"
PRIVATE_MODE, READABLE = 0o600, 0o644
FLASH_AGAIN: Final = "Flash the unit again."
ELSEWHERE: Final = (
    "The unit's key is in a TPM that is not here: of another machine, cleared, or off."
)
NEW_IDENTITY: Final = "Put the drive back into its machine, or give it a new identity."

Place = Literal["partition", "tpm"]


class DeviceKey(Protocol):
    """Signs for the unit. `public` is PEM; `voucher` is a signature in base64, if it takes one.

    `problem` is why the key is not in the machine's TPM, empty where it is or there is none.
    """

    @property
    def place(self) -> Place: ...
    @property
    def public(self) -> str: ...
    @property
    def voucher(self) -> str: ...
    @property
    def problem(self) -> str: ...

    def sign(self, content: bytes) -> bytes:
        """Return ECDSA with SHA-256 over `content` in DER. Raises `Unavailable`."""


@dataclass(frozen=True, slots=True)
class PartitionKey:
    """The key that the station made."""

    private: ec.EllipticCurvePrivateKey
    problem: str = ""
    place: Place = "partition"
    voucher: str = ""

    @classmethod
    def of(cls, pem: bytes) -> "PartitionKey":
        """Read a key in PEM; raises `InvalidInput` when it is no device key."""
        try:
            key = load_pem_private_key(pem, None)
        except (ValueError, TypeError) as error:
            raise InvalidInput("The unit's key cannot be read.", hint=FLASH_AGAIN) from error
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise InvalidInput("The unit's key is of another kind.", hint=FLASH_AGAIN)
        return cls(key)

    @property
    def public(self) -> str:
        """The public half."""
        return _pem(self.private.public_key())

    def sign(self, content: bytes) -> bytes:
        """Sign."""
        return self.private.sign(content, ec.ECDSA(hashes.SHA256()))


@dataclass(frozen=True, slots=True)
class TpmKey:
    """A key in the TPM, for which the station's key vouched when the drive was as `flash_id`."""

    tpm: Tpm
    sealed: SealedKey
    public: str
    flash_id: str = ""
    voucher: str = ""
    problem: str = ""
    place: Place = "tpm"

    def sign(self, content: bytes) -> bytes:
        """Have the TPM sign."""
        return self.tpm.sign(self.sealed, content)


def statement(public: str, unit: Mapping[str, str | None]) -> bytes:
    """Return what is signed to vouch for a key of the `unit`: its serial, device id, flash id.

    A certificate has other fields, so that neither is ever taken for the other.
    """
    facts = {name: unit[name] for name in ("serial", "device_id", "flash_id")}
    text = {**facts, "vouched_key": public}
    return json.dumps(text, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def unit_key(identity: Path, unit: Mapping[str, str | None], tpm: Tpm | None) -> DeviceKey:
    """Return the key that signs for the `unit`, made in the TPM now if it shall be there.

    Blocks for seconds. Raises OSError, `InvalidInput` when there is no key, and `Unavailable` when
    it is in a TPM that does not have it.
    """
    station = _stations(identity)
    if station is None and not (identity / IN_TPM).exists():
        raise InvalidInput("The unit has no key.", hint=FLASH_AGAIN)
    if tpm is None:
        if station is None:
            raise InvalidInput(ELSEWHERE, hint=NEW_IDENTITY)
        return station
    try:
        return _key_in(tpm, identity, unit, station)
    except Unavailable as error:
        if station is None:
            raise Unavailable(f"{ELSEWHERE} {error.message}", hint=NEW_IDENTITY) from error
        return replace(station, problem=f"{error.message} {error.hint}")


def settle(identity: Path, key: DeviceKey) -> None:
    """Let a key in the TPM be the only one, now that the unit has passed. Raises OSError."""
    if key.place == "tpm":
        replace_file(identity / PUBLIC, key.public.encode(), READABLE)
        (identity / STATIONS).unlink(missing_ok=True)


def _key_in(
    tpm: Tpm, identity: Path, unit: Mapping[str, str | None], station: PartitionKey | None
) -> TpmKey:
    kept = _kept(identity, tpm)
    if kept is not None and station is None:
        tpm.public_key(kept.sealed)
        return kept
    if station is None:
        raise InvalidInput("The unit has no key.", hint=FLASH_AGAIN)
    flash_id = unit["flash_id"] or ""
    if kept is None or not _is_of(tpm, kept):
        sealed = tpm.make_key()
        kept = TpmKey(tpm, sealed, _pem(load_pem_public_key(tpm.public_key(sealed))))
    elif kept.flash_id == flash_id:
        return kept
    voucher = base64.b64encode(station.sign(statement(kept.public, unit))).decode()
    kept = replace(kept, flash_id=flash_id, voucher=voucher)
    _keep(identity, kept)
    return kept


def _is_of(tpm: Tpm, key: TpmKey) -> bool:
    try:
        tpm.public_key(key.sealed)
    except Unavailable:
        return False
    return True


def _stations(identity: Path) -> PartitionKey | None:
    try:
        return PartitionKey.of((identity / STATIONS).read_bytes())
    except FileNotFoundError:
        return None


def _kept(identity: Path, tpm: Tpm) -> TpmKey | None:
    try:
        told: dict[str, Any] = json.loads((identity / IN_TPM).read_bytes())
        blobs = (base64.b64decode(told[name], validate=True) for name in ("blob", "secret"))
        return TpmKey(
            tpm=tpm,
            sealed=SealedKey(*blobs),
            public=str(told["public"]),
            flash_id=str(told["flash_id"]),
            voucher=str(told["voucher"]),
        )
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidInput("The unit's key cannot be read.", hint=FLASH_AGAIN) from error


def _keep(identity: Path, key: TpmKey) -> None:
    told = {
        "blob": base64.b64encode(key.sealed.public).decode(),
        "secret": base64.b64encode(key.sealed.private).decode(),
        "public": key.public,
        "flash_id": key.flash_id,
        "voucher": key.voucher,
    }
    replace_file(identity / IN_TPM, json.dumps(told).encode(), PRIVATE_MODE)


def _pem(key: object) -> str:
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise Unavailable("The TPM made a key of another kind.")
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
