"""The wing of the updates: what is on offer, who installs it, what the next version is held to."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import structlog

from allerac import __version__
from allerac.engine.protocol import Engine
from allerac.errors import InvalidInput
from allerac.network.addresses import lasting, list_addresses
from allerac.settings import Settings
from allerac.storage import Database
from allerac.storage.box import BoxStore
from allerac.storage.updates import UpdateStore
from allerac.updates import (
    Acts,
    NoInstaller,
    Parts,
    Rauc,
    RemovableDrives,
    SystemBus,
    ThisBox,
    ThisMachine,
    UpdateCatalogue,
    UpdateConfiguration,
    UpdateService,
    read_configuration,
)
from allerac.updates.gate import (
    BaselineFile,
    BaselineKeeper,
    EngineModel,
    PrivateDoor,
    ReasonFile,
    surroundings_of_box,
)
from allerac.updates.gate.engine_model import Indexing
from allerac.updates.gate.private_door import NAME
from allerac.updates.gate.reason_file import folders_of
from allerac.updates.version import Version

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class UpdateWing:
    """The service, and what the gate needs of a running system.

    A machine without boot slots has no `keeper`, one without a proxy no `door`.
    """

    service: UpdateService
    keeper: BaselineKeeper | None
    door: PrivateDoor | None

    async def start(self) -> None:
        """Start all."""
        if self.door is not None:
            await self.door.start()
        await self.service.start()
        if self.keeper is not None:
            await self.keeper.start()

    async def stop(self) -> None:
        """Stop all."""
        if self.keeper is not None:
            await self.keeper.stop()
        await self.service.stop()
        if self.door is not None:
            await self.door.stop()


def build_updates(
    settings: Settings, database: Database, bus: SystemBus, engine: Engine, indexing: Indexing
) -> UpdateWing:
    """Return the wing; without a configuration its service says that there are no updates.

    While the engine shows how fast it is, `indexing` waits.
    """
    configured = _update_configuration(settings.update_config)
    folder = settings.data_dir / "updates"
    catalogue = None
    if configured is not None and configured.url is not None:
        catalogue = UpdateCatalogue(
            url=configured.url,
            folder=folder / "tuf",
            trust=configured.trust,
            agent=f"Allerac/{__version__}",
        )
    boxes = BoxStore(database)
    here = ThisBox("none", Version.read(__version__), "stable")
    box = here if configured is None else configured.box
    model = EngineModel(engine, indexing)

    def is_busy() -> bool:
        return engine.status().active > 0

    keeper = _build_keeper(settings, str(box.installed), model, is_busy)
    parts = Parts(
        store=UpdateStore(database),
        household=boxes,
        catalogue=catalogue,
        installer=NoInstaller() if configured is None else Rauc(bus, wish=_wish(settings)),
        machine=ThisMachine(settings.socket and settings.socket.with_name("restart")),
        drives=RemovableDrives(settings.drives_dir),
        verdicts=ReasonFile(*folders_of(settings.identity_dir, settings.data_dir)),
        measure=keeper,
        snapshots_folder=folder / "snapshots",
    )
    service = UpdateService(
        acts=Acts(parts, box),
        household=boxes,
        is_busy=is_busy,
        supported=configured is not None,
    )
    door = None
    if settings.socket is not None:
        door = PrivateDoor(settings.socket.with_name(NAME), model)
    return UpdateWing(service, None if configured is None else keeper, door)


def _wish(settings: Settings) -> Path | None:
    """Return the file by which systemd is asked to end the installer, `allerac-installer.path`."""
    return settings.socket and settings.socket.with_name("end-installer")


def _build_keeper(
    settings: Settings, version: str, model: EngineModel, is_busy: Callable[[], bool]
) -> BaselineKeeper:
    return BaselineKeeper(
        surroundings_of_box(
            settings.data_dir,
            lambda: lasting(list_addresses()),
            model,
            settings.sensors_root,
        ),
        BaselineFile.below(settings.data_dir),
        version,
        is_busy=is_busy,
    )


def _update_configuration(path: Path | None) -> UpdateConfiguration | None:
    """Read the file; a box that is wrong about its updates answers its people all the same."""
    if path is None:
        return None
    try:
        return read_configuration(path)
    except InvalidInput as error:
        log.error("no_updates", reason=error.message)  # noqa: TRY400 - the message says it all
        return None
