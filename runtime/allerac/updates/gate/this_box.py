"""The surroundings on a real box."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final, Protocol

from allerac.hardware.machine import disk_free_bytes
from allerac.hardware.sensors import Sysfs, read_heat
from allerac.storage.inspection import inspect_database

from .http_front_door import HttpFrontDoor
from .surroundings import BoxAddress, DataState, Model, Surroundings

DATABASE: Final = "allerac.sqlite"
HOT_MARGIN: Final = 10.0
"""Degrees below the processor's own limit: it slows down a little before it must."""


class OwnAddress(Protocol):
    """An address as the network room tells it."""

    @property
    def ip(self) -> str:
        """The address."""

    @property
    def interface(self) -> str:
        """Whose it is."""


class OwnNetwork:
    """`Network`: asks `addresses` each time."""

    def __init__(self, addresses: Callable[[], Iterable[OwnAddress]]) -> None:
        self._look = addresses

    async def addresses(self) -> Sequence[BoxAddress]:
        """Return the present ones."""
        return [BoxAddress(found.interface, found.ip) for found in self._look()]


class OwnData:
    """`Data`: the database file, beside the runtime that has it open."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def state(self) -> DataState:
        """Open, check and look. Raises `StorageUnavailable` and `StorageDamaged`."""
        found = await asyncio.to_thread(inspect_database, self._path)
        return DataState(found.schema, found.known_schema, found.claimed)


class OwnDisk:
    """`Disk`: where the household's data lies."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def free_bytes(self) -> int:
        """Return what may still be written. Raises `OSError`."""
        return await asyncio.to_thread(disk_free_bytes, self._folder)


class OwnThermometer:
    """`Thermometer`: the processor's sensors, below the root of `sysfs`."""

    def __init__(self, sysfs: Sysfs) -> None:
        self._sysfs = sysfs

    async def is_hot(self) -> bool:
        """Tell whether the processor is slowed down, or soon will be."""
        heat = await asyncio.to_thread(read_heat, self._sysfs)
        return heat is not None and heat.margin <= HOT_MARGIN


def surroundings_of_box(
    data_dir: Path,
    addresses: Callable[[], Iterable[OwnAddress]],
    model: Model,
    sensors_root: Path,
) -> Surroundings:
    """Return what the gate looks at on this box; the engine is reached through `model`."""
    return Surroundings(
        network=OwnNetwork(addresses),
        front_door=HttpFrontDoor(),
        data=OwnData(data_dir / DATABASE),
        disk=OwnDisk(data_dir),
        model=model,
        thermometer=OwnThermometer(Sysfs(sensors_root)),
    )
