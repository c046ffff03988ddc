"""Bundles that the box's own RAUC refuses, asked as the box asks it; each prints its end."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from allerac.errors import UpdateFailed
from allerac.updates.reasons import REASONS
from tests.provisioning.box_rauc import (
    SLOT_BYTES,
    START_SECONDS,
    BoxRauc,
    Wishes,
    box_rauc,
    prepare,
)
from tests.provisioning.bundles import DAY, LONG_AGO, Workshop, new_leaf

BELIEVED = ("believed", "installed")


@dataclass(frozen=True)
class Bench:
    """RAUC as the box has it, and who makes bundles for it."""

    workshop: Workshop
    box: BoxRauc

    async def outcome(self, case: str, bundle: Path) -> str:
        """Install; return the reason of the refusal, and print it.

        A kernel without dm-verity cannot open what is believed: that is `believed`.
        """
        before = self.box.other.read_bytes()
        try:
            async with asyncio.timeout(START_SECONDS):
                await self.box.rauc.install(str(bundle), lambda *_: None)
        except UpdateFailed as error:
            assert self.box.other.read_bytes() == before, "something was written"
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
async def bench(root: Path, tmp_path: Path, workshop: Workshop) -> AsyncIterator[Bench]:
    """A RAUC of its own for each test."""
    prepare(tmp_path)
    async with box_rauc(root, tmp_path, workshop.ours.file) as box:
        yield Bench(workshop, box)


async def test_a_sound_bundle_is_believed(bench: Bench) -> None:
    bundle = bench.workshop.bundle("sound", bench.workshop.good)
    assert await bench.outcome("a sound bundle", bundle) in BELIEVED


FORGED: dict[str, Callable[[Workshop], list[str]]] = {
    "another authority": lambda shop: new_leaf(shop.theirs, "impostor"),
    "expired": lambda shop: new_leaf(shop.ours, "expired", ends=LONG_AGO + DAY),
    "for servers": lambda shop: new_leaf(
        shop.ours, "server", purposes=[ExtendedKeyUsageOID.SERVER_AUTH]
    ),
    "for letters": lambda shop: new_leaf(
        shop.ours, "letters", purposes=[ExtendedKeyUsageOID.EMAIL_PROTECTION]
    ),
}


@pytest.mark.parametrize("case", FORGED)
async def test_who_may_not_sign_is_not_believed(bench: Bench, case: str) -> None:
    bundle = bench.workshop.bundle(case.replace(" ", "-"), FORGED[case](bench.workshop))
    assert await bench.outcome(f"signed by {case}", bundle) == "bundle_untrusted"


async def test_a_clock_that_is_behind_is_told_from_a_wrong_signer(bench: Bench) -> None:
    tomorrow = datetime.now(UTC) + DAY
    signer = new_leaf(bench.workshop.ours, "tomorrow", begins=tomorrow, ends=tomorrow + DAY)
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


async def test_a_bundle_for_another_tier_is_refused(
    root: Path, workshop: Workshop, tmp_path: Path
) -> None:
    """Told after the bundle was opened, so it is of the kind that takes no dm-verity."""
    prepare(tmp_path)
    bundle = workshop.bundle("other-tier", workshop.good, tier="n100", bundle_format="plain")
    async with box_rauc(root, tmp_path, workshop.ours.file, Wishes(formats="plain")) as box:
        bench = Bench(workshop, box)
        assert await bench.outcome("for another tier", bundle) == "other_tier"


async def test_a_bundle_of_a_format_that_the_box_does_not_take_is_refused(bench: Bench) -> None:
    bundle = bench.workshop.bundle("plain", bench.workshop.good, bundle_format="plain")
    assert await bench.outcome("of another format", bundle) == "bundle_unreadable"


async def test_a_signature_without_a_time_is_refused_and_the_installer_goes_on(
    bench: Bench, tmp_path: Path
) -> None:
    """RAUC 1.13 ends when it looks for the time of a signature that has none."""
    path = bench.workshop.without_time(tmp_path / "timeless.raucb")
    with pytest.raises(UpdateFailed) as refused:
        await bench.box.rauc.inspect(str(path))
    sys.stdout.write(f"signature without a time: {refused.value.reason}\n")
    assert refused.value.reason == "bundle_unreadable"
    assert await bench.box.rauc.compatible() == "allerac-vm"
    assert not (await bench.box.rauc.slots()).other.manifest_hash


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
