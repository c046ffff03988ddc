"""Bundles that the machine's own RAUC refuses, asked as the box asks it; each prints its end."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from allerac.errors import UpdateFailed
from allerac.updates.bus import SystemBus
from allerac.updates.rauc import Rauc
from allerac.updates.reasons import REASONS

from .fake_rauc import private_bus
from .real_rauc import SLOT_BYTES, real_rauc

IMAGE_BYTES = 16 * 1024
DAY = timedelta(days=1)
LONG_AGO = datetime(2021, 1, 1, tzinfo=UTC)
START_SECONDS = 20
BELIEVED = ("believed", "installed")
MANIFEST = """\
[update]
compatible=allerac-{tier}
version=1.1.0

[bundle]
format=verity

[image.rootfs]
filename=root.img
"""


@dataclass(frozen=True)
class Authority:
    """Who may sign, and signs."""

    folder: Path
    name: str
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def file(self) -> Path:
        """The certificate."""
        return self.folder / f"{self.name}.crt"


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: Authority | None,
    *,
    purposes: list[x509.ObjectIdentifier] | None = None,
    begins: datetime = LONG_AGO,
    ends: datetime | None = None,
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends or datetime.now(UTC) + DAY)
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
    )
    if purposes is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
    return builder.sign(issuer.key if issuer else key, hashes.SHA256())


def _authority(folder: Path, name: str) -> Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    authority = Authority(folder, name, key, _certificate(name, key, None))
    authority.file.write_bytes(authority.certificate.public_bytes(serialization.Encoding.PEM))
    return authority


def _leaf(authority: Authority, name: str, **facts: object) -> list[str]:
    """Return the words that sign with a new leaf."""
    key = ec.generate_private_key(ec.SECP256R1())
    facts = {
        "purposes": [ExtendedKeyUsageOID.CODE_SIGNING, ExtendedKeyUsageOID.EMAIL_PROTECTION],
        **facts,
    }
    certificate = _certificate(name, key, authority, **facts)  # type: ignore[arg-type]
    paths = authority.folder / f"{name}.crt", authority.folder / f"{name}.key"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return [f"--cert={paths[0]}", f"--key={paths[1]}"]


class Workshop:
    """Makes bundles, good ones and others."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ours = _authority(folder, "ours")
        self.theirs = _authority(folder, "theirs")
        self.good = _leaf(self.ours, "good")

    def bundle(
        self, name: str, signer: list[str], *, tier: str = "vm", size: int = IMAGE_BYTES
    ) -> Path:
        """Return a new bundle."""
        content = self.folder / f"content-{name}"
        content.mkdir()
        (content / "root.img").write_bytes(Random(name).randbytes(size))  # noqa: S311 - no secret
        (content / "manifest.raucm").write_text(MANIFEST.format(tier=tier))
        bundle = self.folder / f"{name}.raucb"
        subprocess.run(
            ["/usr/bin/rauc", *signer, "bundle", content, bundle], check=True, capture_output=True
        )
        return bundle


@dataclass(frozen=True)
class Bench:
    """RAUC as the box has it, and who makes bundles for it."""

    workshop: Workshop
    rauc: Rauc
    slot: Path

    async def outcome(self, case: str, bundle: Path) -> str:
        """Install; return the reason of the refusal, and print it.

        A kernel without dm-verity cannot open what is believed: that is `believed`.
        """
        before = self.slot.read_bytes()
        try:
            async with asyncio.timeout(START_SECONDS):
                await self.rauc.install(str(bundle), lambda *_: None)
        except UpdateFailed as error:
            assert self.slot.read_bytes() == before, "something was written"
            reason = "believed" if "mounting bundle" in error.detail else error.reason
            words = REASONS[error.reason].message if reason == error.reason else "No dm-verity."
            sys.stdout.write(f"{case}: {reason}: {words} ({error.detail})\n")
            return reason
        sys.stdout.write(f"{case}: installed\n")
        return "installed"


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """Keys are made once."""
    return Workshop(tmp_path_factory.mktemp("workshop"))


@pytest.fixture
async def bench(tmp_path: Path, workshop: Workshop) -> AsyncIterator[Bench]:
    """A RAUC of its own for each test."""
    with (
        private_bus(tmp_path) as address,
        real_rauc(tmp_path, address, workshop.ours.file) as slot,
    ):
        bus = SystemBus(address)
        rauc = Rauc(bus, look_seconds=0.2)
        async with asyncio.timeout(START_SECONDS):
            while not await _answers(rauc):  # noqa: ASYNC110 - a service has no event to wait on
                await asyncio.sleep(0.05)
        yield Bench(workshop, rauc, slot)
        await bus.close()


async def _answers(rauc: Rauc) -> bool:
    try:
        return await rauc.compatible() == "allerac-vm"
    except UpdateFailed:
        return False


async def test_a_sound_bundle_is_believed(bench: Bench) -> None:
    bundle = bench.workshop.bundle("sound", bench.workshop.good)
    assert await bench.outcome("a sound bundle", bundle) in BELIEVED


FORGED: dict[str, Callable[[Workshop], list[str]]] = {
    "another authority": lambda shop: _leaf(shop.theirs, "impostor"),
    "expired": lambda shop: _leaf(shop.ours, "expired", ends=LONG_AGO + DAY),
    "for servers": lambda shop: _leaf(
        shop.ours, "server", purposes=[ExtendedKeyUsageOID.SERVER_AUTH]
    ),
    "for letters": lambda shop: _leaf(
        shop.ours, "letters", purposes=[ExtendedKeyUsageOID.EMAIL_PROTECTION]
    ),
}


@pytest.mark.parametrize("case", FORGED)
async def test_who_may_not_sign_is_not_believed(bench: Bench, case: str) -> None:
    bundle = bench.workshop.bundle(case.replace(" ", "-"), FORGED[case](bench.workshop))
    assert await bench.outcome(f"signed by {case}", bundle) == "bundle_untrusted"


async def test_a_clock_that_is_behind_is_told_from_a_wrong_signer(bench: Bench) -> None:
    tomorrow = datetime.now(UTC) + DAY
    signer = _leaf(bench.workshop.ours, "tomorrow", begins=tomorrow, ends=tomorrow + DAY)
    bundle = bench.workshop.bundle("of-tomorrow", signer)
    assert await bench.outcome("signed tomorrow", bundle) == "clock_behind"


async def test_a_bundle_without_a_signature_is_none(bench: Bench, tmp_path: Path) -> None:
    content = bench.workshop.bundle("unsigned", bench.workshop.good).read_bytes()
    signature = int.from_bytes(content[-8:], "big")
    for case, rest in {
        "signature cut off": content[: -8 - signature],
        "signature emptied": content[: -8 - signature] + bytes(8),
        "signature of zeros": content[: -8 - signature] + bytes(signature) + content[-8:],
    }.items():
        path = tmp_path / "unsigned.raucb"
        path.write_bytes(rest)
        assert await bench.outcome(case, path) in {"bundle_unreadable", "bundle_untrusted"}


async def test_a_bundle_for_another_tier_is_refused(bench: Bench) -> None:
    bundle = bench.workshop.bundle("other-tier", bench.workshop.good, tier="n100")
    outcome = await bench.outcome("for another tier", bundle)
    if outcome == "believed":
        pytest.skip("this RAUC asks for the tier after opening, which needs dm-verity")
    assert outcome == "other_tier"


async def test_a_truncated_bundle_is_refused(bench: Bench, tmp_path: Path) -> None:
    content = bench.workshop.bundle("truncated", bench.workshop.good).read_bytes()
    for length in (0, 7, 100, 4096, len(content) // 2, len(content) - 1):
        path = tmp_path / "truncated.raucb"
        path.write_bytes(content[:length])
        ends = {"bundle_unreadable", "bundle_untrusted"}
        assert await bench.outcome(f"first {length} bytes", path) in ends


@pytest.mark.slow
async def test_no_flipped_bit_of_the_signature_changes_what_is_believed(
    bench: Bench, tmp_path: Path
) -> None:
    """The manifest is inside, with the hash by which the kernel checks every block it reads."""
    content = bench.workshop.bundle("flipped", bench.workshop.good).read_bytes()
    signature = int.from_bytes(content[-8:], "big")
    begin = content.index(b"[update]", len(content) - signature - 8)
    manifest = range(begin, content.index(b"\0", begin))
    draw = Random(4)  # noqa: S311 - the same bits every time
    for _ in range(40):
        position = len(content) - 8 - draw.randrange(signature) - 1
        spoiled = bytearray(content)
        spoiled[position] ^= 1 << draw.randrange(8)
        path = tmp_path / "flipped.raucb"
        path.write_bytes(spoiled)
        outcome = await bench.outcome(f"bit of byte {position} flipped", path)
        assert outcome not in BELIEVED or position not in manifest


async def test_a_file_that_is_no_bundle_is_refused(bench: Bench, tmp_path: Path) -> None:
    for case, content in {"zeros": bytes(SLOT_BYTES), "text": b"#!/bin/sh\n" * 1000}.items():
        path = tmp_path / "none.raucb"
        path.write_bytes(content)
        assert await bench.outcome(case, path) in {"bundle_unreadable", "bundle_untrusted"}
    assert await bench.outcome("nothing", tmp_path / "missing.raucb") == "bundle_unreadable"
