"""The wing of the updates: what is on offer, who installs it, where it is written down."""

from collections.abc import Callable
from pathlib import Path

import structlog

from allerac import __version__
from allerac.errors import InvalidInput
from allerac.settings import Settings
from allerac.storage import Database
from allerac.storage.box import BoxStore
from allerac.storage.updates import UpdateStore
from allerac.updates import (
    Acts,
    NoInstaller,
    NoVerdicts,
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
from allerac.updates.version import Version

log = structlog.get_logger()


def build_update_service(
    settings: Settings, database: Database, bus: SystemBus, is_busy: Callable[[], bool]
) -> UpdateService:
    """Return the service of updates; without a configuration it says that there are none."""
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
    parts = Parts(
        store=UpdateStore(database),
        household=boxes,
        catalogue=catalogue,
        installer=NoInstaller() if configured is None else Rauc(bus),
        machine=ThisMachine(settings.socket and settings.socket.with_name("restart")),
        drives=RemovableDrives(settings.drives_dir),
        verdicts=NoVerdicts(),
        snapshots_folder=folder / "snapshots",
    )
    here = ThisBox("none", Version.read(__version__), "stable")
    return UpdateService(
        acts=Acts(parts, here if configured is None else configured.box),
        household=boxes,
        is_busy=is_busy,
        supported=configured is not None,
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
