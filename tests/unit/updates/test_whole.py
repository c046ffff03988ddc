"""All of it at once: a signed list from a server, RAUC on a bus, a database, and a restart."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from allerac.storage import Database
from allerac.storage.box import BoxStore
from allerac.storage.updates import UpdateStore
from allerac.updates import (
    Acts,
    Parts,
    Rauc,
    RemovableDrives,
    SystemBus,
    ThisBox,
    UpdateCatalogue,
    UpdateService,
)
from allerac.updates.listing import Trust
from allerac.updates.version import Version

from .emulated_box import EmulatedBox, bundle_of
from .fake_rauc import fake_rauc, private_bus
from .hostile_server import HostileServer
from .household import GateFile, Measured
from .publisher import TIER, Publisher


def _service(
    folder: Path, database: Database, bus: SystemBus, box: EmulatedBox, catalogue: UpdateCatalogue
) -> UpdateService:
    parts = Parts(
        store=UpdateStore(database),
        household=BoxStore(database),
        catalogue=catalogue,
        installer=Rauc(bus, look_seconds=0.1),
        machine=box,
        drives=RemovableDrives(folder / "media"),
        verdicts=GateFile(),
        measure=Measured(),
        snapshots_folder=folder / "snapshots",
    )
    running = Version.read(box.root("booted").version or "1.0.0")
    acts = Acts(parts, ThisBox(TIER, running, "stable"))
    return UpdateService(
        acts=acts, household=BoxStore(database), is_busy=lambda: False, look_seconds=0.05
    )


async def _until(service: UpdateService, state: str) -> None:
    async with asyncio.timeout(30):
        async for status in service.changes():
            if status.state == state:
                return


async def test_a_box_goes_from_one_version_to_the_next_and_back(
    tmp_path: Path, publisher: Publisher, server: HostileServer
) -> None:
    publisher.offer("1.1.0")
    catalogue = UpdateCatalogue(
        url=server.url,
        folder=tmp_path / "tuf",
        trust=Trust(publisher.root_file, datetime(2020, 1, 1, tzinfo=UTC)),
        agent="test",
    )
    [offer] = (await catalogue.refresh(None)).offers
    box = EmulatedBox(bundles={offer.source: bundle_of("1.1.0")})
    database = Database(tmp_path / "allerac.sqlite")
    await database.open()
    await BoxStore(database).load()
    with private_bus(tmp_path) as address:
        bus = SystemBus(address)
        async with fake_rauc(address, box):
            old = _service(tmp_path, database, bus, box, catalogue)
            await old.start()
            assert (await old.check()).available == offer
            await old.install()
            await _until(old, "installed")
            assert box.order[0] == "rootfs.0"
            await old.restart()
            await old.stop()
            box.boot()
            new = _service(tmp_path, database, bus, box, catalogue)
            await new.start()
            await _until(new, "proving")
            await Rauc(bus).mark("good", "booted")
            new.look()
            await _until(new, "good")
            await new.go_back()
            await new.stop()
            box.boot()
            assert box.booted == "rootfs.0"
        await bus.close()
    rows = await UpdateStore(database).history(10)
    assert [(row.version, row.result) for row in rows] == [("1.0.0", None), ("1.1.0", "good")]
    await database.close()
