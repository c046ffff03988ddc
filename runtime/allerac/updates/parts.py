"""What the acts are done with."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from allerac.storage.box import BoxStore
from allerac.storage.updates import UpdateStore

from .listing import Listing
from .offer import Offer
from .rauc import Installer
from .removable import RemovableDrives
from .restart import Machine
from .verdict import Verdicts


class Catalogue(Protocol):
    """What tells which updates there are; `UpdateCatalogue` is the real one."""

    async def refresh(self, known_at: datetime | None) -> Listing:
        """Ask the server. Raises `UpdateFailed`."""

    async def known(self) -> Sequence[Offer]:
        """Return what was offered when it was last believed."""


class Measure(Protocol):
    """What the next version is held to; `gate.BaselineKeeper` is the real one."""

    async def record(self, attempt: str | None = None, *, with_speed: bool = True) -> bool:
        """Record what works now, before `attempt` is tried; tell whether it is kept."""


@dataclass(frozen=True, slots=True)
class Parts:
    """Without a catalogue only drives bring updates."""

    store: UpdateStore
    household: BoxStore
    catalogue: Catalogue | None
    installer: Installer
    machine: Machine
    drives: RemovableDrives
    verdicts: Verdicts
    measure: Measure
    snapshots_folder: Path
