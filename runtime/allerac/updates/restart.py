"""Restarting the machine through logind, org.freedesktop.login1(5)."""

from pathlib import Path
from typing import Protocol

from .bus import BusLostError, RefusedError, Remote, SystemBus
from .reasons import failed

LOGIND = Remote(
    "org.freedesktop.login1", "/org/freedesktop/login1", "org.freedesktop.login1.Manager"
)
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Machine(Protocol):
    """The machine as something that boots."""

    def boot_id(self) -> str:
        """Return what is different after every boot (random(4))."""

    async def restart(self) -> None:
        """Boot anew; raise `UpdateFailed` when that is refused."""


class ThisMachine:
    """The machine that this runs on."""

    def __init__(self, bus: SystemBus) -> None:
        self._bus = bus

    def boot_id(self) -> str:
        """Read it from the kernel."""
        return BOOT_ID.read_text("ascii").strip()

    async def restart(self) -> None:
        """Ask logind, without asking a person for a password."""
        try:
            await self._bus.call(LOGIND, "Reboot", "b", False)
        except (BusLostError, RefusedError) as error:
            raise failed("restart_failed", str(error)) from error
