"""A disk that fills while a document is taken in: it waits and says so, and goes on with room.

The disk is a tmpfs in a mount namespace whose size is changed, so that no memory is spent on
filling it.
"""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from shutil import copytree, ignore_patterns
from typing import Any

import pytest

from tests.claimed_box import ClaimedBox, claimed_box
from tests.faults.own_disk import own_disk
from tests.faults.papers import FILES, NOTHING, add, long_paper, passages, ready, remains, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

ROOM = "700m"
TRIES = 50


@dataclass(frozen=True, slots=True)
class ChangingDisk:
    """A box on a disk of its own; `root` leads to the disk from outside."""

    box: ClaimedBox
    folder: Path
    root: Path
    within: tuple[str, ...]

    def fill(self) -> None:
        """Leave no room at all; what is written meanwhile makes it take more than one try."""
        for _ in range(TRIES):
            facts = os.statvfs(self.root)
            used = (facts.f_blocks - facts.f_bfree) * facts.f_frsize
            if self._resize(str(used)) and os.statvfs(self.root).f_bavail == 0:
                return
        raise AssertionError("the disk could not be filled")

    def empty(self) -> None:
        """Give the room back."""
        assert self._resize(ROOM)

    def _resize(self, size: str) -> bool:
        command = [*self.within, "mount", "-o", f"remount,size={size}", str(self.folder)]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[ChangingDisk]:
    folder = tmp_path / "box"
    # The sensors are read too seldom to notice: the ingest meets the full disk by itself.
    chosen = {"profile": "vm", "sample_seconds": "600"}
    with (
        own_disk(folder, ROOM) as own,
        claimed_box(folder, within=own.within, **chosen) as box,
    ):
        yield ChangingDisk(box, folder, own.root, own.within)


def _waits_for_room(file: dict[str, Any]) -> bool:
    return file["why"] is not None and file["why"]["code"] == "no_room"


async def test_document_waits_while_the_disk_is_full_and_goes_on_by_itself(
    disk: ChangingDisk, tmp_path: Path
) -> None:
    async with disk.box.owner() as owner:
        calm = await ready(owner.client, (await add(owner.client, "a.md", long_paper("a ")))["id"])
        file = await add(owner.client, "b.md", long_paper("b "))
        disk.fill()
        file = await until(owner.client, file["id"], _waits_for_room)
        assert file["state"] in ("processing", "indexing")
        assert "disk is full" in file["why"]["message"]

        headers = {"Content-Type": "application/octet-stream"}
        more = await owner.client.post(
            FILES, params={"name": "c.md"}, content=b"# More", headers=headers
        )
        assert more.status_code in (503, 507), more.text
        assert more.json()["error"]["hint"]
        found = await owner.client.post("/api/v1/knowledge/search", json={"question": "Room 7"})
        assert found.json()["passages"]

        disk.empty()
        file = await ready(owner.client, file["id"])
        assert (file["why"], file["passages"]) == (None, calm["passages"])
        texts = [await passages(owner.client, each["id"]) for each in (calm, file)]
        assert texts[0][:-1] == texts[1][:-1]
        third = await add(owner.client, "c.md", b"# More\n\nThere is room for more.")
        await ready(owner.client, third["id"])
    disk.box.stop()
    copy = tmp_path / "copy"  # SQLite would follow the link out of the namespace
    copytree(disk.root, copy, ignore=ignore_patterns("engine", "secrets"))
    assert await remains(copy) == NOTHING
