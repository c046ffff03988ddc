"""A disk that fills up while an update is installed, or while its version migrates the data."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pysqlite3.dbapi2 as driver
import pytest

from allerac.errors import AlleracError, StorageUnavailable
from allerac.storage import Database
from allerac.storage.migrations import STEPS
from allerac.storage.updates import Begun, Ended, UpdateRecord, UpdateStore

from .household import Household, offer_of, open_household

AS_ROOT = () if os.geteuid() == 0 else ("--user", "--map-root-user")
ON_A_SMALL_DISK = (
    'mount -t tmpfs -o size=6m tmpfs "$1" && cp "$2" "$1/allerac.sqlite" && shift 2 && exec "$@"'
)
KIB = 1024


def _old_database(path: Path) -> None:
    """Make a database of today that is one step behind, with two megabytes in it."""

    async def make() -> None:
        database = Database(path)
        await database.open()
        await database.close()

    asyncio.run(make())
    connection = driver.connect(str(path))
    connection.execute("CREATE TABLE ballast (content BLOB)")
    connection.execute("INSERT INTO ballast VALUES (zeroblob(2000000))")
    connection.execute(f"PRAGMA user_version={len(STEPS) - 1}")
    connection.commit()
    connection.close()


@pytest.mark.slow
@pytest.mark.parametrize("free_kib", [64, 512, 1500])
def test_a_migration_without_room_changes_nothing_and_succeeds_with_room(
    tmp_path: Path, free_kib: int
) -> None:
    _old_database(tmp_path / "old.sqlite")
    (tmp_path / "disk").mkdir()
    small_disk = ["unshare", *AS_ROOT, "--mount", "sh", "-c", ON_A_SMALL_DISK, "sh"]
    folders = [str(tmp_path / "disk"), str(tmp_path / "old.sqlite")]
    trial = [sys.executable, "-m", "tests.unit.updates.full_disk"]
    database = [str(tmp_path / "disk" / "allerac.sqlite"), str(free_kib * KIB)]
    run = subprocess.run(
        [*small_disk, *folders, *trial, *database],
        stdout=subprocess.PIPE,
        timeout=60,
        check=True,
        text=True,
    )
    sys.stdout.write(f"{free_kib} KiB free: {run.stdout}")
    full, left, with_room = run.stdout.splitlines()
    step, last = len(STEPS) - 1, len(STEPS)
    assert full == f"The box's data could not be copied.; step {step} to {step} of {last}"
    assert left == "left behind: 0"
    assert with_room == f"with room: migrated; step {last} of {last}"


class FullStore(UpdateStore):
    """Has no room for the write of the given number."""

    def __init__(self, database: Database, full_at: int) -> None:
        super().__init__(database)
        self._left = full_at

    async def change(
        self,
        values: Mapping[str, Any],
        now: datetime,
        *,
        begun: Begun | None = None,
        ended: Ended | None = None,
    ) -> UpdateRecord:
        """Write, if there is room."""
        self._left -= 1
        if self._left == 0:
            raise StorageUnavailable("The disk is full, so nothing more can be kept.")
        return await super().change(values, now, begun=begun, ended=ended)


async def _go_on(home: Household) -> None:
    await home.acts.reconcile()
    match await home.state():
        case "idle":
            await home.acts.check(by_owner=True)
        case "available":
            await home.acts.install()
        case "downloading":
            await home.acts.follow()
        case "installed":
            await home.acts.switch.forward()
            home.machine.boot()
        case "proving":
            home.machine.prove()
        case _:
            pass


@pytest.mark.parametrize("full_at", range(1, 9))
async def test_a_record_that_cannot_be_written_stops_the_step_and_not_the_update(
    tmp_path: Path, full_at: int
) -> None:
    async with open_household(tmp_path, offer_of("1.1.0")) as home:
        full = FullStore(home.database, full_at)
        for _ in range(12):
            home = home.again()
            home.acts.journal._store = full
            try:
                await _go_on(home)
            except AlleracError as error:
                sys.stdout.write(f"write {full_at} in {await home.state()}: {error.message}\n")
                home.clock.now += timedelta(days=1)
                home.machine.installing = False
            if await home.state() == "good":
                break
        assert await home.state() == "good"
        [row] = await home.store.history(9)
        assert row.result == "good"
