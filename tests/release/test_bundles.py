"""Bundles that boxes would refuse are refused before they are offered."""

from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from allerac_image.errors import BadInput
from allerac_image.signing import SigningPair
from allerac_release.bundles import leaf_expiry, read_bundle, sign_bundle
from allerac_release.keys import Leaf
from allerac_release.repository import utc_now
from tests.release.conftest import BundleOf
from tests.release.release_shop import Shop, read_pair

BITS = 40


@pytest.fixture
def bundle(bundle_of: BundleOf, tmp_path: Path) -> Path:
    """A copy of a sound bundle, to be spoiled."""
    copy = tmp_path / "spoiled.raucb"
    copy.write_bytes(bundle_of("1.0.0").read_bytes())
    return copy


def test_a_bundle_of_an_unknown_signer_is_refused(shop: Shop, bundle: Path) -> None:
    refused = shop.change("publish", bundle, "--tier", "vm", "--notes", shop.notes).refusal
    assert refused.startswith("spoiled.raucb is refused by rauc: ")
    assert "signature verification failed" in refused
    assert not shop.repository.exists()


@pytest.mark.slow
def test_every_flipped_bit_is_noticed(shop: Shop, bundle: Path, builder: Path) -> None:
    sound = bundle.read_bytes()
    seeded = Random(20261121)  # noqa: S311  the same bits every time
    for bit in seeded.sample(range(len(sound) * 8), BITS):
        spoiled = bytearray(sound)
        spoiled[bit // 8] ^= 1 << bit % 8
        bundle.write_bytes(spoiled)
        outcome = shop.publish(bundle, builder / "ca.crt")
        assert outcome.status == 2, f"bit {bit} of {len(sound) * 8}: {outcome}"
        assert outcome.err.count("\n") == 1
    assert not (shop.repository / "metadata" / "timestamp.json").exists()


@pytest.mark.parametrize("length", [0, 7, 100, 4096, -1, -100])
def test_a_truncated_bundle_is_refused(
    shop: Shop, bundle: Path, builder: Path, length: int
) -> None:
    bundle.write_bytes(bundle.read_bytes()[:length])
    assert shop.publish(bundle, builder / "ca.crt").refusal.startswith(
        (
            "spoiled.raucb is refused by",
            f"{bundle} is no bundle",
        )
    )


def test_a_bundle_that_is_not_there_is_named(shop: Shop, builder: Path, tmp_path: Path) -> None:
    missing = tmp_path / "missing.raucb"
    assert shop.publish(missing, builder / "ca.crt").refusal == f"There is no bundle at {missing}."


@pytest.mark.parametrize("purpose", ["EMAIL_PROTECTION", "SERVER_AUTH"])
def test_a_certificate_for_another_purpose_signs_no_bundle(
    bundle: Path, builder: Path, made_keys: Path, tmp_path: Path, purpose: str
) -> None:
    authority = made_keys / "rauc" / "ca.crt"
    leaf = Leaf(_leaf_for(getattr(ExtendedKeyUsageOID, purpose), made_keys / "rauc"), authority)
    signed = tmp_path / "signed.raucb"

    def offer() -> None:
        sign_bundle(bundle, [builder / "ca.crt"], leaf, signed)
        read_bundle(signed, [authority])

    with pytest.raises(BadInput, match="purpose"):
        offer()


def _leaf_for(purpose: x509.ObjectIdentifier, folder: Path) -> SigningPair:
    authority = read_pair(folder, "ca")
    key = ec.generate_private_key(ec.SECP256R1())
    now = utc_now()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "for something else")]))
        .issuer_name(authority.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.ExtendedKeyUsage([purpose]), critical=True)
        .sign(authority.key, hashes.SHA256())
    )
    return SigningPair(certificate, key)


def test_the_end_of_a_signature_is_read_from_the_bundle(bundle: Path, builder: Path) -> None:
    certificate = x509.load_pem_x509_certificate((builder / "signing.crt").read_bytes())
    assert leaf_expiry(bundle) == certificate.not_valid_after_utc
