"""The box's certificate is what browsers take, for this box at home and for nothing else."""

import socket
import ssl
import stat
import threading
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from allerac.appliance.certificate import EARLIEST, LEAF_DAYS, CertificateFolder, _Pair, _sign_leaf

NOW = datetime.now(UTC)
NAMES = ["allerac.local", "Kitchen.local", "allerac-k7qm.local"]
ADDRESSES = ["192.168.1.20", "fd00::20", "8.8.8.8", "2001:db8::1"]
RENEWED = timedelta(days=LEAF_DAYS - 30)


@pytest.fixture
def folder(tmp_path: Path) -> CertificateFolder:
    return CertificateFolder(tmp_path / "tls")


def certificate(tmp_path: Path, name: str = "box.crt") -> x509.Certificate:
    return x509.load_pem_x509_certificate((tmp_path / "tls" / name).read_bytes())


def alternatives(leaf: x509.Certificate) -> tuple[list[str], list[str]]:
    found = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    addresses = [str(ip) for ip in found.get_values_for_type(x509.IPAddress)]
    return found.get_values_for_type(x509.DNSName), addresses


def shake_hands(tls: Path, host: str) -> str | None:
    """Open TLS as a browser that trusts the authority does; return what is wrong."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(tls / "box.crt", tls / "box.key")
    browser = ssl.create_default_context(cafile=str(tls / "ca.crt"))
    browser.verify_flags |= ssl.VERIFY_X509_STRICT
    ours, theirs = socket.socketpair()

    def answer() -> None:
        try:
            with server.wrap_socket(theirs, server_side=True) as connection:
                connection.recv(1)
        except (ssl.SSLError, ConnectionError):
            theirs.close()

    thread = threading.Thread(target=answer)
    thread.start()
    try:
        with browser.wrap_socket(ours, server_hostname=host) as connection:
            connection.send(b"x")
    except ssl.SSLCertVerificationError as error:
        return error.verify_message
    finally:
        ours.close()
        thread.join()
    return None


@pytest.mark.parametrize(
    "host",
    ["allerac.local", "kitchen.local", "allerac-k7qm.local", "192.168.1.20", "fd00::20"],
)
def test_browser_that_trusts_the_authority_trusts_the_box(
    folder: CertificateFolder, tmp_path: Path, host: str
) -> None:
    assert folder.ensure(NAMES, ADDRESSES, NOW)
    assert shake_hands(tmp_path / "tls", host) is None


@pytest.mark.parametrize("host", ["bedroom.local", "192.168.1.21", "8.8.8.8"])
def test_other_places_are_not_the_box(folder: CertificateFolder, tmp_path: Path, host: str) -> None:
    folder.ensure(NAMES, ADDRESSES, NOW)
    assert "mismatch" in (shake_hands(tmp_path / "tls", host) or "")


@pytest.mark.parametrize(
    ("names", "addresses", "host"),
    [
        ({"bank.example"}, set(), "bank.example"),
        ({"notlocal"}, set(), "notlocal"),
        ({"allerac.local"}, {ip_address("8.8.8.8")}, "8.8.8.8"),
    ],
)
def test_stolen_authority_is_worth_nothing_outside_the_home(
    folder: CertificateFolder, tmp_path: Path, names: set[str], addresses: set[object], host: str
) -> None:
    folder.ensure(NAMES, ADDRESSES, NOW)
    tls = tmp_path / "tls"
    stolen, own = (
        serialization.load_pem_private_key((tls / name).read_bytes(), None)
        for name in ("ca.key", "box.key")
    )
    assert isinstance(stolen, ec.EllipticCurvePrivateKey)
    assert isinstance(own, ec.EllipticCurvePrivateKey)
    authority = _Pair(stolen, certificate(tmp_path, "ca.crt"))
    forged = _sign_leaf(authority, own, names, addresses, NOW)  # type: ignore[arg-type]
    (tls / "box.crt").write_bytes(forged.public_bytes(serialization.Encoding.PEM))
    assert "permitted subtree violation" in (shake_hands(tls, host) or "")


def test_names_are_ours_and_addresses_are_private(
    folder: CertificateFolder, tmp_path: Path
) -> None:
    folder.ensure([*NAMES, "bank.example", "local"], ADDRESSES, NOW)
    assert alternatives(certificate(tmp_path)) == (
        ["allerac-k7qm.local", "allerac.local", "kitchen.local"],
        ["192.168.1.20", "fd00::20"],
    )


def test_keys_are_p256_and_nobody_elses(folder: CertificateFolder, tmp_path: Path) -> None:
    folder.ensure(NAMES, ADDRESSES, NOW)
    modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in (tmp_path / "tls").iterdir()}
    assert modes == {"ca.key": 0o600, "ca.crt": 0o644, "box.key": 0o640, "box.crt": 0o644}
    key = certificate(tmp_path).public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert key.curve.name == "secp256r1"


def test_leaf_lasts_at_most_397_days_and_the_authority_ten_years(
    folder: CertificateFolder, tmp_path: Path
) -> None:
    folder.ensure(NAMES, ADDRESSES, NOW)
    leaf, authority = certificate(tmp_path), certificate(tmp_path, "ca.crt")
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc <= timedelta(days=397)
    assert timedelta(days=3650) < authority.not_valid_after_utc - NOW < timedelta(days=3654)


@pytest.mark.parametrize(
    ("names", "addresses"),
    [(NAMES, ADDRESSES), (["ALLERAC.local"], []), ([], [])],
    ids=["same", "fewer", "no network yet"],
)
def test_certificate_that_serves_is_left_alone(
    folder: CertificateFolder, tmp_path: Path, names: list[str], addresses: list[str]
) -> None:
    folder.ensure(NAMES, ADDRESSES, NOW)
    before = certificate(tmp_path)
    assert not folder.ensure(names, addresses, NOW + RENEWED - timedelta(days=2))
    assert certificate(tmp_path) == before


@pytest.mark.parametrize(
    ("names", "addresses", "now"),
    [
        (["bedroom.local"], [], NOW),
        ([], ["10.0.0.7"], NOW),
        ([], [], NOW + RENEWED),
        ([], [], NOW - timedelta(days=10)),
    ],
    ids=["renamed", "moved", "soon over", "clock went back"],
)
def test_certificate_is_renewed_under_the_same_authority(
    folder: CertificateFolder,
    tmp_path: Path,
    names: list[str],
    addresses: list[str],
    now: datetime,
) -> None:
    folder.ensure(NAMES, ADDRESSES, NOW)
    before, authority = certificate(tmp_path), certificate(tmp_path, "ca.crt")
    assert folder.ensure(names, addresses, now)
    assert certificate(tmp_path) != before
    assert certificate(tmp_path).public_key() == before.public_key()
    assert certificate(tmp_path, "ca.crt") == authority


def test_authority_is_replaced_only_when_a_leaf_would_outlive_it(
    folder: CertificateFolder, tmp_path: Path
) -> None:
    folder.ensure(NAMES, ADDRESSES, NOW)
    authority = certificate(tmp_path, "ca.crt")
    folder.ensure(NAMES, ADDRESSES, NOW + timedelta(days=3200))
    assert certificate(tmp_path, "ca.crt") == authority
    folder.ensure(NAMES, ADDRESSES, NOW + timedelta(days=3300))
    assert certificate(tmp_path, "ca.crt").public_key() != authority.public_key()
    certificate(tmp_path).verify_directly_issued_by(certificate(tmp_path, "ca.crt"))


def test_clock_of_1970_makes_a_certificate_that_is_good_today(
    folder: CertificateFolder, tmp_path: Path
) -> None:
    folder.ensure(NAMES, ADDRESSES, datetime(1970, 1, 1, tzinfo=UTC))
    leaf, authority = certificate(tmp_path), certificate(tmp_path, "ca.crt")
    assert authority.not_valid_before_utc == EARLIEST
    assert leaf.not_valid_before_utc <= EARLIEST < leaf.not_valid_after_utc
    folder.ensure(NAMES, ADDRESSES, NOW)
    assert certificate(tmp_path, "ca.crt") == authority
    assert shake_hands(tmp_path / "tls", "allerac.local") is None


@pytest.mark.parametrize("content", [None, b"", b"-----BEGIN", b"\0" * 4096])
@pytest.mark.parametrize("name", ["ca.key", "ca.crt", "box.key", "box.crt"])
def test_lost_or_torn_file_is_made_good(
    folder: CertificateFolder, tmp_path: Path, name: str, content: bytes | None
) -> None:
    folder.ensure(NAMES, ADDRESSES, NOW)
    path = tmp_path / "tls" / name
    path.unlink() if content is None else path.write_bytes(content)
    folder.ensure(NAMES, ADDRESSES, NOW)
    assert shake_hands(tmp_path / "tls", "kitchen.local") is None


def test_lost_public_half_does_not_cost_the_authority(
    folder: CertificateFolder, tmp_path: Path
) -> None:
    """Devices that trusted the old one go on: name and key are the same."""
    folder.ensure(NAMES, ADDRESSES, NOW)
    before = certificate(tmp_path, "ca.crt")
    (tmp_path / "tls" / "ca.crt").unlink()
    folder.ensure(NAMES, ADDRESSES, NOW)
    after = certificate(tmp_path, "ca.crt")
    assert (after.subject, after.public_key()) == (before.subject, before.public_key())


def test_two_processes_make_one_authority(folder: CertificateFolder, tmp_path: Path) -> None:
    made: list[bool] = []
    threads = [
        threading.Thread(target=lambda: made.append(folder.ensure(NAMES, ADDRESSES, NOW)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(made) == [False, False, False, True]


def test_facts_are_what_a_person_compares(folder: CertificateFolder, tmp_path: Path) -> None:
    assert folder.facts() is None
    folder.ensure(NAMES, ADDRESSES, NOW)
    facts = folder.facts()
    assert facts is not None
    digest = certificate(tmp_path, "ca.crt").fingerprint(hashes.SHA256())
    assert bytes.fromhex(facts.fingerprint.replace(":", "")) == digest
    assert facts.expires_at == certificate(tmp_path).not_valid_after_utc
