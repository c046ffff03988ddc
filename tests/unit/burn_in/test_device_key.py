"""A unit's key moves into its TPM at the first start, and the station's key vouches for it."""

import base64
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_public_key,
)

from allerac.appliance.tpm import Tpm
from allerac.burn_in.device_key import DeviceKey, PartitionKey, settle, statement, unit_key
from allerac.errors import InvalidInput, Unavailable
from tests.software_tpm import software_tpm

UNIT = {"serial": "ALR-1", "device_id": "d1", "flash_id": "f1"}
NOWHERE = Tpm("device:/dev/null")


@pytest.fixture
def identity(tmp_path: Path) -> Path:
    """What a station wrote."""
    folder = tmp_path / "identity"
    folder.mkdir()
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "device.key").write_bytes(pem)
    (folder / "device.pub").write_text(PartitionKey.of(pem).public)
    return folder


@pytest.fixture(scope="module")
def tpms(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Tpm, Tpm]]:
    """The TPMs of two machines."""
    with ExitStack() as stack:
        folders = [tmp_path_factory.mktemp("tpm") for _ in range(2)]
        first, second = (Tpm(stack.enter_context(software_tpm(folder))) for folder in folders)
        yield first, second


def verify(public: str, signature: bytes, content: bytes) -> None:
    key = load_pem_public_key(public.encode())
    assert isinstance(key, ec.EllipticCurvePublicKey)
    key.verify(signature, content, ec.ECDSA(hashes.SHA256()))


def is_vouched_for(key: DeviceKey, station: str, unit: dict[str, str]) -> bool:
    voucher = base64.b64decode(key.voucher)
    try:
        verify(station, voucher, statement(key.public, unit))
    except InvalidSignature:
        return False
    return True


def test_unit_without_a_tpm_signs_by_the_key_on_its_partition(identity: Path) -> None:
    key = unit_key(identity, UNIT, None)
    assert (key.place, key.problem, key.voucher) == ("partition", "", "")
    assert key.public == (identity / "device.pub").read_text()
    verify(key.public, key.sign(b"x"), b"x")
    before = {path.name for path in identity.iterdir()}
    settle(identity, key)
    assert {path.name for path in identity.iterdir()} == before


@pytest.mark.slow
def test_key_of_the_tpm_is_vouched_for_and_is_alone_once_the_unit_has_passed(
    identity: Path, tpms: tuple[Tpm, Tpm]
) -> None:
    station = (identity / "device.pub").read_text()
    key = unit_key(identity, UNIT, tpms[0])
    assert (key.place, key.problem) == ("tpm", "")
    assert is_vouched_for(key, station, UNIT)
    assert not is_vouched_for(key, station, {**UNIT, "serial": "ALR-2"})
    verify(key.public, key.sign(b"x"), b"x")
    assert (identity / "device.tpm").stat().st_mode & 0o777 == 0o600
    assert (identity / "device.key").exists()
    settle(identity, key)
    assert {path.name for path in identity.iterdir()} == {"device.pub", "device.tpm"}
    assert (identity / "device.pub").read_text() == key.public
    again = unit_key(identity, UNIT, tpms[0])
    assert (again.public, again.voucher) == (key.public, key.voucher)


@pytest.mark.slow
def test_unit_that_tries_again_has_the_same_key(identity: Path, tpms: tuple[Tpm, Tpm]) -> None:
    first = unit_key(identity, UNIT, tpms[0])
    again = unit_key(identity, UNIT, tpms[0])
    assert (again.public, again.voucher) == (first.public, first.voucher)
    rewritten = {**UNIT, "flash_id": "f2"}
    later = unit_key(identity, rewritten, tpms[0])
    assert later.public == first.public
    assert is_vouched_for(later, (identity / "device.pub").read_text(), rewritten)


@pytest.mark.slow
def test_drive_that_goes_to_another_machine_before_it_passed_gets_another_key(
    identity: Path, tpms: tuple[Tpm, Tpm]
) -> None:
    first = unit_key(identity, UNIT, tpms[0])
    second = unit_key(identity, UNIT, tpms[1])
    assert second.public != first.public
    assert is_vouched_for(second, (identity / "device.pub").read_text(), UNIT)
    verify(second.public, second.sign(b"x"), b"x")


@pytest.mark.slow
def test_drive_that_goes_to_another_machine_later_has_no_key_there(
    identity: Path, tpms: tuple[Tpm, Tpm]
) -> None:
    settle(identity, unit_key(identity, UNIT, tpms[0]))
    with pytest.raises(Unavailable, match="not here") as refused:
        unit_key(identity, UNIT, tpms[1])
    assert "new identity" in refused.value.hint
    with pytest.raises(InvalidInput, match="not here"):
        unit_key(identity, UNIT, None)


def test_tpm_that_does_not_work_is_told_and_the_partitions_key_signs(identity: Path) -> None:
    key = unit_key(identity, UNIT, NOWHERE)
    assert key.place == "partition"
    assert "TPM" in key.problem
    assert "firmware's settings" in key.problem
    verify((identity / "device.pub").read_text(), key.sign(b"x"), b"x")


def test_unit_without_any_key_says_so(identity: Path) -> None:
    (identity / "device.key").unlink()
    for tpm in (None, NOWHERE):
        with pytest.raises(InvalidInput, match="The unit has no key"):
            unit_key(identity, UNIT, tpm)


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"blob": "?"}', '{"blob": "AA==", "secret": 1}']
)
def test_kept_key_that_is_torn_is_found_out(identity: Path, content: str) -> None:
    (identity / "device.tpm").write_text(content)
    with pytest.raises(InvalidInput, match="cannot be read"):
        unit_key(identity, UNIT, NOWHERE)
