"""Restarting the machine. The runtime may not do that itself: it leaves a wish that systemd sees.

`allerac-restart.path` of the image watches for the file and reboots (systemd.path(5)); so there is
neither a capability nor a policy that a runtime that was taken over could use for anything else.
"""

import asyncio
from pathlib import Path
from typing import Protocol

from .rauc import Installer
from .reasons import failed

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Machine(Protocol):
    """The machine as something that boots."""

    def boot_id(self) -> str:
        """Return what is different after every boot (random(4))."""

    async def restart(self) -> None:
        """Ask for a boot, which comes soon; raise `UpdateFailed` when nobody can be asked."""


class ThisMachine:
    """The machine that this runs on. Without a file for the wish it never restarts."""

    def __init__(self, wish: Path | None) -> None:
        self._wish = wish

    def boot_id(self) -> str:
        """Read it from the kernel."""
        return BOOT_ID.read_text("ascii").strip()

    async def restart(self) -> None:
        """Leave the wish."""
        if self._wish is None:
            raise failed("restart_failed", "nobody restarts this machine")
        try:
            await asyncio.to_thread(self._wish.touch)
        except OSError as error:
            raise failed("restart_failed", str(error)) from error


async def stay(installer: Installer, *, other_works: bool) -> None:
    """Have the next boot, whenever it comes, be of what runs. Raises `UpdateFailed`.

    A switch that ended between the boot loader and the restart would else come by surprise. Unless
    the other version has ever worked it is none to go back to.
    """
    slots = await installer.slots()
    if slots.primary != slots.booted.name:
        await installer.mark("active", "booted")
        if not other_works:
            await installer.mark("bad", "other")
