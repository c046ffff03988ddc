"""A damaged database is told, however badly it is damaged."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pysqlite3.dbapi2 as driver
import pytest

from allerac.app.health_onlookers import INTEGRITY_DELAY_SECONDS, INTEGRITY_SECONDS, IntegrityWatch
from allerac.errors import StorageUnavailable
from allerac.storage import Database
from tests.api.health_box import codes_of, health_box

pytestmark = pytest.mark.timeout(300)


def overwrite_rows(file: Path) -> None:
    """Lose a page of one index, as a disk does; the file opens and answers as before."""
    with driver.connect(str(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (page_bytes,) = connection.execute("PRAGMA page_size").fetchone()
        query = "SELECT rootpage FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'attempt'"
        (page,) = connection.execute(query).fetchone()
    connection.close()
    with file.open("r+b") as stream:
        stream.seek((page - 1) * page_bytes)
        stream.write(bytes(page_bytes))


def overwrite_beginning(file: Path) -> None:
    """Lose what makes it a database: not even the test can be asked."""
    with driver.connect(str(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    with file.open("r+b") as stream:
        stream.write(b"damaged " * 512)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    made = Database(tmp_path / "allerac.sqlite")
    await made.open()
    yield made
    await made.close()


@pytest.mark.parametrize("damage", [overwrite_rows, overwrite_beginning])
async def test_damage_is_found_by_the_first_test(
    database: Database, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    moment = [0.0]
    watch = IntegrityWatch(database.check_integrity, steady=lambda: moment[0])
    damage(tmp_path / "allerac.sqlite")
    await watch.look()
    assert watch.faults == (), "people come first"
    moment[0] = INTEGRITY_DELAY_SECONDS
    await watch.look()
    assert watch.faults


async def test_damage_that_was_found_stays_until_a_test_finds_none() -> None:
    moment, said = [0.0], [["a row is missing"], ["a row is missing"], []]

    async def test() -> list[str]:
        return said.pop(0)

    watch = IntegrityWatch(test, delay_seconds=0, steady=lambda: moment[0])
    for seconds, faults in ((0, 1), (1, 1), (INTEGRITY_SECONDS, 1), (2 * INTEGRITY_SECONDS, 0)):
        moment[0] = seconds
        await watch.look()
        assert len(watch.faults) == faults


async def test_a_database_that_is_busy_is_tested_by_the_next_look() -> None:
    tries = []

    async def test() -> list[str]:
        tries.append(1)
        if len(tries) == 1:
            raise StorageUnavailable("The box is busy with its data.")
        return ["a row is missing"]

    watch = IntegrityWatch(test, delay_seconds=0)
    with pytest.raises(StorageUnavailable):
        await watch.look()
    await watch.look()
    assert watch.faults == ("a row is missing",)


async def test_the_owner_is_told_of_a_damaged_database(tmp_path: Path) -> None:
    async with health_box(tmp_path) as box:
        assert "database_damaged" not in codes_of(await box.until(lambda health: health["figures"]))
        overwrite_rows(box.settings.data_dir / "allerac.sqlite")
        box.app.state.runtime.health.onlookers.integrity.test_soon()
        issue = await box.until_issue("database_damaged")
        assert issue["severity"] == "critical"
        assert issue["words"]["de"]["title"] == "Die Daten der Box sind beschädigt."
