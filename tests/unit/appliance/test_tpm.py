"""A key that is made in a TPM signs there, and nowhere else."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from allerac.appliance.tpm import HINT, Tpm
from allerac.errors import Unavailable
from tests.software_tpm import software_tpm

pytestmark = pytest.mark.slow

CONTENT = b'{"serial":"ALR-1"}'


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where a TPM is that runs."""
    with software_tpm(tmp_path_factory.mktemp("tpm")) as place:
        yield place


def is_signed(pem: bytes, signature: bytes, content: bytes = CONTENT) -> bool:
    key = load_pem_public_key(pem)
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert key.curve.name == "secp256r1"
    try:
        key.verify(signature, content, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def ask(place: str, *words: str) -> None:
    subprocess.run(["tpm2", *words, "--tcti", place], check=True, capture_output=True)  # noqa: S607  # Debian's


def test_tpm_signs_what_everybody_can_check(place: str) -> None:
    tpm = Tpm(place)
    key = tpm.make_key()
    pem = tpm.public_key(key)
    signature = tpm.sign(key, CONTENT)
    assert is_signed(pem, signature)
    assert not is_signed(pem, signature, CONTENT + b" ")
    assert not is_signed(tpm.public_key(tpm.make_key()), signature)


def test_key_is_made_again_and_again_without_filling_the_tpm(place: str) -> None:
    keys = [Tpm(place).make_key() for _ in range(4)]
    assert len({key.public for key in keys}) == 4


def test_key_is_there_when_the_machine_was_off(tmp_path: Path) -> None:
    with software_tpm(tmp_path) as place:
        key = Tpm(place).make_key()
        pem = Tpm(place).public_key(key)
    with software_tpm(tmp_path) as place:
        assert Tpm(place).public_key(key) == pem
        assert is_signed(pem, Tpm(place).sign(key, CONTENT))


def test_another_tpm_does_not_open_the_key(place: str, tmp_path: Path) -> None:
    key = Tpm(place).make_key()
    with (
        software_tpm(tmp_path) as elsewhere,
        pytest.raises(Unavailable, match="integrity check failed"),
    ):
        Tpm(elsewhere).sign(key, CONTENT)


def test_tpm_that_was_cleared_does_not_open_the_key(tmp_path: Path) -> None:
    with software_tpm(tmp_path) as place:
        key = Tpm(place).make_key()
        ask(place, "clear")
        with pytest.raises(Unavailable, match="integrity check failed"):
            Tpm(place).public_key(key)


def test_tpm_that_somebody_else_owns_says_what_to_do(tmp_path: Path) -> None:
    with software_tpm(tmp_path) as place:
        ask(place, "changeauth", "--object-context", "owner", "taken")
        with pytest.raises(Unavailable, match="authorization") as refused:
            Tpm(place).make_key()
    assert refused.value.hint == HINT


def test_place_without_a_tpm_says_so(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="TPM"):
        Tpm(f"device:{tmp_path / 'tpmrm0'}").make_key()
