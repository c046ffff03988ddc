"""The gate's view of a real machine."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import pytest

from allerac.errors import StorageDamaged, StorageUnavailable
from allerac.hardware.sensors import Sysfs
from allerac.storage import Database
from allerac.storage.inspection import inspect_database
from allerac.storage.migrations import STEPS
from allerac.updates.gate import BoxAddress, DataState, surroundings_of_box
from allerac.updates.gate.this_box import OwnThermometer

from .emulated_system import EmulatedSystem


@dataclass(frozen=True)
class Found:
    """An address as the network tells it."""

    ip: str
    interface: str


async def test_what_the_machine_has_is_what_the_gate_sees(tmp_path: Path) -> None:
    database = Database(tmp_path / "allerac.sqlite")
    await database.open()
    here = surroundings_of_box(
        tmp_path,
        lambda: [Found("192.0.2.7", "enp1s0")],
        EmulatedSystem().surroundings().model,
        tmp_path / "no sensors",
    )
    assert list(await here.network.addresses()) == [BoxAddress("enp1s0", "192.0.2.7")]
    assert await here.data.state() == DataState(len(STEPS), len(STEPS), claimed=False)
    assert await here.disk.free_bytes() > 0
    assert not await here.thermometer.is_hot()
    await database.close()


@pytest.mark.parametrize(("celsius", "hot"), [(60, False), (89, False), (90, True), (101, True)])
async def test_a_processor_near_its_limit_is_hot(tmp_path: Path, celsius: int, hot: bool) -> None:
    zone = tmp_path / "sys" / "class" / "thermal" / "thermal_zone0"
    zone.mkdir(parents=True)
    (zone / "type").write_text("x86_pkg_temp\n")
    (zone / "temp").write_text(f"{celsius * 1000}\n")
    assert await OwnThermometer(Sysfs(tmp_path)).is_hot() is hot


def test_a_database_that_is_missing_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(StorageUnavailable):
        inspect_database(tmp_path / "allerac.sqlite")
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_database_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "allerac.sqlite"
    path.write_bytes(b"no database" * 1000)
    with pytest.raises(StorageDamaged):
        inspect_database(path)


def test_an_empty_file_has_taken_no_step_and_stays_empty(tmp_path: Path) -> None:
    path = tmp_path / "allerac.sqlite"
    path.touch()
    assert (inspect_database(path).schema, inspect_database(path).claimed) == (0, False)
    assert path.stat().st_size == 0


def test_a_page_that_was_overwritten_is_found(tmp_path: Path) -> None:
    async def fill() -> None:
        database = Database(tmp_path / "allerac.sqlite")
        await database.open()
        await database.close()

    asyncio.run(fill())
    path = tmp_path / "allerac.sqlite"
    content = bytearray(path.read_bytes())
    content[5 * 4096 : 6 * 4096] = b"\xa5" * 4096
    path.write_bytes(content)
    with pytest.raises(StorageDamaged, match="damaged"):
        inspect_database(path)
