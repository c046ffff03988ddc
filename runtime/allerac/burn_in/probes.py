"""Checks that look once: tier, memory, drive, network card, memory channels, power, clock, TPM."""

import dataclasses
import mmap
import os
import struct
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from allerac.appliance.certificate import EARLIEST
from allerac.hardware.choice import choose_profile
from allerac.hardware.drive_test import ProvenDrive
from allerac.hardware.machine import Machine
from allerac.hardware.profile import Profile, Profiles
from allerac.hardware.sensors import Drive, Sysfs, read_links, read_power

from .device_key import DeviceKey
from .outcome import Outcome

ReadAt = Callable[[int, list[mmap.mmap], int], int]

MB: Final = 1_000_000
CHUNK_BYTES: Final = 16 << 20
BLOCK_BYTES: Final = 4 << 20
STAMP_BYTES: Final = 64 << 10
STAMP: Final = struct.Struct("<QQ")
"""Number of the block and byte within it, so often: what is written elsewhere is found out."""

PATTERNS: Final = (0x55, 0xAA)
"""Each bit is tried both ways, beside neighbours of the other kind."""

MIN_LINK_MEGABITS: Final = 1000
CLOCK_SECONDS: Final = 86400.0
"""By which the hardware clock and the system's may differ at a first start."""


def probe_tier(machine: Machine, profiles: Profiles, tier: str, image: str | None) -> Outcome:
    """Compare the machine and its image with the tier that the unit was made as.

    `image` is the tier the image was built for, None when it does not say. The memory channels have
    a check of their own.
    """
    seen = dataclasses.replace(machine, memory_channels=None)
    alone = dataclasses.replace(profiles, by_id={tier: profiles.by_id[tier]})
    found, wanted = choose_profile(seen, profiles), choose_profile(seen, alone)
    reasons = []
    if image not in {None, tier}:
        reasons.append(f"The image is of the tier {image}.")
    if not wanted.exact:
        reasons.append(found.reason if found.exact else wanted.reason)
    return Outcome(
        "tier",
        passed=not reasons,
        measured={"nearest": found.profile.id, "image": image},
        limits={"tier": tier},
        reason=f"The unit was made as {tier}. {' '.join(reasons)}" if reasons else "",
    )


def new_chunk() -> mmap.mmap:
    """Return a piece of memory to test."""
    return mmap.mmap(-1, CHUNK_BYTES)


def probe_memory(size_bytes: int, chunk: Callable[[], mmap.mmap] = new_chunk) -> Outcome:
    """Write patterns to so much memory and compare all of it; blocks for seconds per GB."""
    chunks = [chunk() for _ in range(max(1, size_bytes // CHUNK_BYTES))]
    wrong = 0
    try:
        for content in _contents():
            for piece in chunks:
                piece[:] = content
            wrong += sum(piece[:] != content for piece in chunks)
    finally:
        for piece in chunks:
            piece.close()
    return Outcome(
        "memory",
        passed=wrong == 0,
        measured={"tested_bytes": len(chunks) * CHUNK_BYTES, "wrong_chunks": wrong},
        limits={"wrong_chunks": 0},
        reason="" if wrong == 0 else "Memory gave back something else than was written.",
    )


def probe_disk(
    folder: Path, size_bytes: int, least: float | None, read_at: ReadAt = os.preadv
) -> Outcome:
    """Write a file past the page cache, read it back, compare, and say how fast both were.

    Less than `least` MB/s is too slow; None accepts any speed. `read_at` is preadv(2).
    """
    path = folder / ".burn-in"
    count = max(1, size_bytes // BLOCK_BYTES)
    try:
        written, read, equal = _try_disk(path, count, read_at)
    except OSError as error:
        return Outcome("disk", passed=False, reason=f"The drive failed: {error.strerror}.")
    finally:
        path.unlink(missing_ok=True)
    reason = "" if equal else "The drive gave back something else than was written."
    if equal and least is not None and min(written, read) < least:
        reason = "The drive is slower than any good one of its kind."
    return Outcome(
        "disk",
        passed=not reason,
        measured={
            "write_mb_per_second": round(written, 1),
            "read_mb_per_second": round(read, 1),
        },
        limits={"min_mb_per_second": least},
        reason=reason,
    )


def probe_drive_verdicts(drives: Iterable[Drive]) -> Outcome:
    """Ask for what the drives say of themselves (SMART)."""
    known = list(drives)
    failing = [drive.name for drive in known if drive.failing]
    return Outcome(
        "drive health",
        passed=not failing,
        measured={
            "drives": len(known),
            "models": ", ".join(drive.model for drive in known),
            "worn_percent": max((d.worn_percent or 0.0 for d in known), default=None),
        },
        reason=f"{', '.join(failing)} says that it fails." if failing else "",
    )


def judge_self_tests(tested: Iterable[ProvenDrive]) -> Outcome:
    """Write down how each drive's own test went; one that has none is no worse for it."""
    known = list(tested)
    failed = [f"{drive.name} {drive.told}" for drive in known if drive.verdict == "failed"]
    return Outcome(
        "drive self-test",
        passed=not failed,
        measured={drive.name: drive.told for drive in known},
        reason=f"{', '.join(failed)}." if failed else "",
    )


def probe_network(sysfs: Sysfs) -> tuple[Outcome, list[str]]:
    """Look for wired cards; return the outcome and their addresses (MAC)."""
    links = read_links(sysfs)
    up = [link for link in links if link.up]
    slow = [link.name for link in up if (link.megabits or MIN_LINK_MEGABITS) < MIN_LINK_MEGABITS]
    reason = "" if links else "There is no wired network card."
    if slow:
        reason = f"{', '.join(slow)} is slower than its cable allows."
    outcome = Outcome(
        "network",
        passed=not reason,
        measured={
            "cards": len(links),
            "links_up": len(up),
            "megabits": max((link.megabits for link in up if link.megabits), default=None),
        },
        limits={"min_megabits": MIN_LINK_MEGABITS},
        reason=reason,
    )
    macs = (sysfs.text(f"sys/class/net/{link.name}/address") for link in links)
    return outcome, [mac.upper() for mac in macs if mac]


def probe_memory_channels(machine: Machine, profile: Profile) -> Outcome:
    """Compare the channels that hold memory with the tier's: speed depends on them."""
    wanted, found = profile.burn_in.memory_channels, machine.memory_channels
    passed = wanted is None or (found is not None and found >= wanted)
    reason = "" if passed else f"{found or 'No readable'} of {wanted} memory channels hold memory."
    return Outcome("memory channels", passed, {"channels": found}, {"min_channels": wanted}, reason)


def probe_power_limit(sysfs: Sysfs, profile: Profile) -> Outcome:
    """Compare the processor's long-term power limit with the tier's; boards ship lower ones."""
    wanted = profile.power.pl1_watts
    power = read_power(sysfs)
    found = power.limit_watts if power else None
    passed = wanted is None or (found is not None and found >= wanted)
    told = "is not readable" if found is None else f"is {found:.0f} W"
    reason = "" if passed else f"The power limit {told}, the tier needs {wanted} W: BIOS setting."
    return Outcome("power limit", passed, {"watts": found}, {"min_watts": wanted}, reason)


def probe_clock(sysfs: Sysfs, now: datetime) -> Outcome:
    """Compare the system's time with the hardware clock's, which a flat battery loses."""
    since = sysfs.number("sys/class/rtc/rtc0/since_epoch")
    apart = None if since is None else abs(now.timestamp() - since)
    reason = ""
    if now < EARLIEST:
        reason = "The clock shows a time before this system was made: battery or BIOS."
    elif apart is not None and apart > CLOCK_SECONDS:
        reason = "The hardware clock is wrong: battery or BIOS."
    return Outcome(
        "clock",
        passed=not reason,
        measured={"utc": now.astimezone(UTC).isoformat(timespec="seconds"), "apart_seconds": apart},
        limits={"max_apart_seconds": CLOCK_SECONDS},
        reason=reason,
    )


def tpm_version(sysfs: Sysfs) -> int | None:
    """Return the version of the TPM's specification, None without a TPM."""
    return sysfs.number("sys/class/tpm/tpm0/tpm_version_major")


def probe_tpm(sysfs: Sysfs, key: DeviceKey) -> Outcome:
    """Write down where the unit's key is: a machine may have no TPM, but not one that is broken."""
    return Outcome(
        "tpm",
        passed=not key.problem,
        measured={"version": tpm_version(sysfs), "device_key": key.place},
        reason=key.problem,
    )


def _contents() -> Iterator[bytes]:
    for pattern in PATTERNS:
        yield bytes([pattern]) * CHUNK_BYTES
    yield os.urandom(BLOCK_BYTES) * (CHUNK_BYTES // BLOCK_BYTES)


def _try_disk(path: Path, count: int, read_at: ReadAt) -> tuple[float, float, bool]:
    """Return MB/s written, MB/s read, and whether all came back."""
    with mmap.mmap(-1, BLOCK_BYTES) as out, mmap.mmap(-1, BLOCK_BYTES) as back:
        out[:] = os.urandom(BLOCK_BYTES)

        def stamp(block: int) -> None:
            for at in range(0, BLOCK_BYTES, STAMP_BYTES):
                STAMP.pack_into(out, at, block, at)

        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_DIRECT, 0o600)
        try:
            began = time.monotonic()
            for block in range(count):
                stamp(block)
                os.pwrite(descriptor, out, block * BLOCK_BYTES)
            os.fsync(descriptor)
            between = time.monotonic()
            equal = True
            for block in range(count):
                read_at(descriptor, [back], block * BLOCK_BYTES)
                stamp(block)
                equal = equal and back[:] == out[:]
            ended = time.monotonic()
        finally:
            os.close(descriptor)
    megabytes = count * BLOCK_BYTES / MB
    return megabytes / max(between - began, 1e-6), megabytes / max(ended - between, 1e-6), equal
