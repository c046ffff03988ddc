"""The box's own RAUC as a service: its program, its libraries and its settings, files for slots."""

import asyncio
import os
import re
import shlex
import signal
import subprocess
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from allerac.updates.bus import BusLostError, RefusedError, Remote, SystemBus
from allerac.updates.rauc import INSTALLER, Rauc
from tests.unit.updates.fake_rauc import private_bus

LIBRARIES = "usr/lib/x86_64-linux-gnu"
LOADER = f"{LIBRARIES}/ld-linux-x86-64.so.2"
SLOT_BYTES = 8 << 20
START_SECONDS = 30.0
LOOK_SECONDS = 0.2
WISH = "end-installer"
"""File that systemd ends the service for on a box."""

NAMES = ("root-A", "root-B", "boot-A", "boot-B")
DAEMON = Remote("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus")
SERVICE = "[D-BUS Service]\nName={name}\nExec={program}\n"
PROGRAM = "#!/bin/sh\nexport {environment}\nexec {command} >> {log} 2>&1\n"


@dataclass(frozen=True, slots=True)
class Wishes:
    """What is other than on a box: the formats of bundles, lines left out, libraries in front."""

    formats: str = "verity"
    without: Sequence[str] = ()
    preload: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict)


AS_ON_THE_BOX = Wishes()
"""Only that nothing is ever booted here."""


@dataclass(frozen=True, slots=True)
class BoxRauc:
    """The service, as the runtime speaks to it; whoever asks starts it, as on the box."""

    folder: Path
    rauc: Rauc
    bus: SystemBus

    @property
    def running(self) -> Path:
        """The slot that the box runs from."""
        return self.folder / "slots/root-A"

    @property
    def other(self) -> Path:
        """The slot that updates are written to."""
        return self.folder / "slots/root-B"

    @property
    def other_kernel(self) -> Path:
        """The slot beside it."""
        return self.folder / "slots/boot-B"

    @property
    def log(self) -> str:
        """What it has said so far."""
        return (self.folder / "rauc.log").read_text(errors="replace")

    async def kill(self) -> None:
        """End the one that runs, if any, and wait until the bus knows.

        Whoever asks meanwhile has started another one, with a connection of its own.
        """
        ended = await self._owner()
        await self._signal(signal.SIGKILL)
        async with asyncio.timeout(START_SECONDS):
            while ended and await self._owner() == ended:  # noqa: ASYNC110  # the bus has no other event for it
                await asyncio.sleep(0.02)

    async def stop(self) -> None:
        """Let it neither answer nor end."""
        await self._signal(signal.SIGSTOP)

    async def _owner(self) -> str | None:
        """Return the connection that the service has now; each process has its own."""
        with suppress(RefusedError, BusLostError):  # nobody has it
            [owner] = await self.bus.call(DAEMON, "GetNameOwner", "s", INSTALLER.service)
            return str(owner)
        return None

    async def _signal(self, number: int) -> None:
        with suppress(RefusedError, BusLostError, ProcessLookupError):
            ask = "GetConnectionUnixProcessID"
            [pid] = await self.bus.call(DAEMON, ask, "s", INSTALLER.service)
            os.kill(pid, number)


def settings_of(root: Path, folder: Path, keyring: Path, wishes: Wishes) -> str:
    """Return the box's settings, with paths below `folder` for its own."""
    text = (root / "etc/rauc/system.conf").read_text()
    changes = {
        r"^bootloader=grub$": "bootloader=noop",
        r"^grubenv=.*\n": "",
        r"^bundle-formats=.*$": f"bundle-formats={wishes.formats}",
        r"=/data/rauc$": f"={folder}/data",
        r"=/run/rauc$": f"={folder}/mount",
        r"=/dev/disk/by-partlabel/": f"={folder}/slots/",
        r"=/etc/rauc/keyring\.pem$": f"={keyring}",
        r"^sandbox-user=nobody$": "sandbox-user=root",  # who alone reads the folders of tests
        **{rf"^{re.escape(line)}\n": "" for line in wishes.without},
    }
    for pattern, new in changes.items():
        text, number = re.subn(pattern, new, text, flags=re.MULTILINE)
        assert number, f"the box's settings have no {pattern}"
    return text


def prepare(folder: Path) -> None:
    """Make the folders that a box has, and empty slots."""
    for name in ("data", "mount", "slots"):
        (folder / name).mkdir()
    for name in NAMES:
        with (folder / "slots" / name).open("wb") as slot:
            slot.truncate(SLOT_BYTES)


@asynccontextmanager
async def box_rauc(
    root: Path, folder: Path, keyring: Path, wishes: Wishes = AS_ON_THE_BOX
) -> AsyncIterator[BoxRauc]:
    """Have it run in a folder that `prepare` has made, trusting `keyring`."""
    settings = folder / "system.conf"
    settings.write_text(settings_of(root, folder, keyring, wishes))
    preload: list[str | Path] = [] if wishes.preload is None else ["--preload", wishes.preload]
    loaded = [root / LOADER, *preload, "--library-path", root / LIBRARIES, root / "usr/bin/rauc"]
    command = [*loaded, f"--conf={settings}", "--override-boot-slot=A", "service"]
    with private_bus(folder) as address:
        _announce(root, folder, command, {"DBUS_SYSTEM_BUS_ADDRESS": address, **wishes.environment})
        bus = SystemBus(address)
        wish = folder / WISH  # which nobody fulfils
        rauc = Rauc(bus, wish=wish, look_seconds=LOOK_SECONDS, end_seconds=LOOK_SECONDS)
        box = BoxRauc(folder, rauc, bus)
        try:
            async with asyncio.timeout(START_SECONDS):
                assert await box.rauc.compatible() == "allerac-vm", box.log
            yield box
        finally:
            await box.kill()
            await bus.close()
            _let_go(folder / "mount/bundle")


def _announce(
    root: Path, folder: Path, command: Sequence[str | Path], environment: Mapping[str, str]
) -> None:
    """Tell the bus how the service is started, and the service how it starts itself to stream."""
    modules = root / LIBRARIES / "gio/modules"
    streamer = folder / "streamer.sh"
    itself = [root / LOADER, "--library-path", root / LIBRARIES, root / "usr/bin/rauc"]
    streamer.write_text(f"#!/bin/sh\nexec {shlex.join(map(str, itself))}\n")
    streamer.chmod(0o755)
    variables = {
        **environment,
        "GIO_MODULE_DIR": str(modules),
        "RAUC_TEST_NBD_SERVER": str(streamer),
    }
    program = folder / "rauc.sh"
    program.write_text(
        PROGRAM.format(
            environment=shlex.join(f"{name}={value}" for name, value in variables.items()),
            command=shlex.join(map(str, command)),
            log=folder / "rauc.log",
        )
    )
    program.chmod(0o755)
    (folder / "services").mkdir(exist_ok=True)
    service = SERVICE.format(name=INSTALLER.service, program=program)
    (folder / "services" / f"{INSTALLER.service}.service").write_text(service)


def _let_go(mounted: Path) -> None:
    """Unmount the bundle that a service which was killed left open."""
    while os.path.ismount(mounted):
        subprocess.run(["/usr/bin/umount", "-l", mounted], check=True, timeout=START_SECONDS)
