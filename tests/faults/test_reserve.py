"""A disk without one free byte: the box starts, and people sign in, export and delete.

The disk is a tmpfs in a mount namespace that outlives the box, so that the box can be started anew
on a disk that was filled while it was off.
"""

import asyncio
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api.conftest import PASSWORD
from tests.claimed_box import ClaimedBox, claimed_box
from tests.faults.own_disk import own_disk

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

DEADLINE_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class SmallDisk:
    """A box on its own disk; `root` leads to the disk from outside."""

    box: ClaimedBox
    folder: Path
    root: Path

    @property
    def reserve(self) -> Path:
        return self.root / "reserve"

    @property
    def free_bytes(self) -> int:
        room = os.statvfs(self.root)
        return room.f_bavail * room.f_bsize

    def fill(self) -> None:
        """Leave not one block free."""
        with (self.root / "ballast").open("wb", buffering=0) as file, suppress(OSError):
            while file.write(bytes(1 << 12)):
                pass
        assert self.free_bytes == 0

    def empty(self) -> None:
        (self.root / "ballast").unlink()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    folder = tmp_path / "box"
    chosen = {"profile": "vm", "reserve_bytes": str(2**30), "sample_seconds": "0.5"}
    with (
        own_disk(folder, "80m") as own,
        claimed_box(folder, within=own.within, **chosen) as box,
    ):
        yield SmallDisk(box, folder, own.root)


async def _until(disk: SmallDisk, client: httpx.AsyncClient, reached: Any) -> dict[str, Any]:
    async with asyncio.timeout(DEADLINE_SECONDS):
        while True:
            health: dict[str, Any] = (await client.get("/api/v1/health")).json()
            if reached(health):
                return health
            await asyncio.sleep(0.2)


async def test_a_box_starts_and_serves_on_a_disk_without_a_free_byte(disk: SmallDisk) -> None:
    async with disk.box.owner() as owner:
        conversation = await owner.conversation()
        assert disk.reserve.stat().st_size > 1_000_000
    disk.box.running.kill()
    disk.fill()

    disk.box.start()
    assert not disk.reserve.exists()
    async with httpx.AsyncClient(base_url=disk.box.running.url, timeout=30) as client:
        signed_in = await client.post("/api/v1/session", json={"name": "Ana", "password": PASSWORD})
        assert signed_in.is_success, signed_in.text
        there = f"/api/v1/conversations/{conversation}"
        exported = await client.get(f"{there}/export", params={"format": "json"})
        assert exported.is_success, exported.text
        deleted = await client.delete(there)
        assert deleted.is_success, deleted.text
        health = await _until(disk, client, lambda health: health["issues"])
        assert [issue["code"] for issue in health["issues"]] == ["disk_nearly_full"]
        assert health["severity"] == "critical"
        await _until(
            disk,
            client,
            lambda health: (
                {"hold_downloads", "release_reserve"}
                <= {reaction["code"] for reaction in health["reactions"]}
            ),
        )

        disk.empty()
        await _until(disk, client, lambda health: not health["issues"] and not health["reactions"])
        assert disk.reserve.stat().st_size > 1_000_000


async def test_a_disk_that_fills_while_the_box_runs_costs_the_reserve(disk: SmallDisk) -> None:
    async with disk.box.owner() as owner:
        await owner.conversation()
        disk.fill()
        await _until(disk, owner.client, lambda _: not disk.reserve.exists())
        made = await owner.client.post("/api/v1/conversations", json={})
        assert made.is_success, made.text
