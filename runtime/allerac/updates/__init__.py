"""Updates: found by signed metadata, installed while in use, kept only when they work."""

from .acts import Acts
from .bus import SystemBus
from .catalogue import UpdateCatalogue
from .configuration import UpdateConfiguration, read_configuration
from .offer import Offer, ThisBox
from .parts import Parts
from .rauc import Installer, NoInstaller, Rauc
from .reasons import NOT_ASKED
from .removable import BundleFile, RemovableDrives
from .restart import ThisMachine
from .service import UpdateService, UpdateStatus
from .verdict import Verdict, Verdicts

__all__ = [
    "NOT_ASKED",
    "Acts",
    "BundleFile",
    "Installer",
    "NoInstaller",
    "Offer",
    "Parts",
    "Rauc",
    "RemovableDrives",
    "SystemBus",
    "ThisBox",
    "ThisMachine",
    "UpdateCatalogue",
    "UpdateConfiguration",
    "UpdateService",
    "UpdateStatus",
    "Verdict",
    "Verdicts",
    "read_configuration",
]
