"""RAUC, which says whether a bundle is ours, installs it, and knows the boot slots.

D-Bus interface of RAUC 1.13 (https://rauc.readthedocs.io/en/v1.13/reference.html#d-bus-api).
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import structlog

from allerac.errors import UpdateFailed

from .bus import BusLostError, LeftError, RefusedError, Remote, SilentError, SystemBus
from .progress import Moved
from .reasons import failed

log = structlog.get_logger()

INSTALLER = Remote("de.pengutronix.rauc", "/", "de.pengutronix.rauc.Installer")
ROOT_CLASS = "rootfs"
INSPECT_SECONDS = 120.0
"""It asks the server for the bundle's end and manifest, and answers nobody else meanwhile."""

LOOK_SECONDS = 2.0
"""How often the installer is asked in case that a signal was lost."""

LOST_LOOKS = 15
"""So many questions without an answer before the installer is given up on."""

STILL_SECONDS = 3600.0
"""In which an installation must come on by a percent: of the slowest line that is a megabyte, and
reading a slot for the first time takes minutes."""

END_SECONDS = 30.0
"""For systemd to see the wish and end the installer."""

END_LOOK_SECONDS = 0.2

OnProgress = Callable[[int, str], None]
"""Gets percent and what is being done, in RAUC's words."""

Mark = Literal["good", "bad", "active"]


@dataclass(frozen=True, slots=True)
class Bundle:
    """What a bundle says of itself, after its signature was verified."""

    compatible: str
    version: str
    manifest_hash: str


@dataclass(frozen=True, slots=True)
class Slot:
    """A boot slot: what was installed into it, and what the boot loader thinks of it.

    The factory's slot has no `version` and `manifest_hash`, an empty one neither. `complete` is
    False while it is being written and when that was cut off. `activations` counts how often it
    was made the next one.
    """

    name: str
    bootname: str
    booted: bool
    bootable: bool
    version: str | None
    manifest_hash: str | None
    complete: bool
    activations: int = 0


@dataclass(frozen=True, slots=True)
class Slots:
    """Both boot slots, and the one that the boot loader tries first."""

    booted: Slot
    other: Slot
    primary: str | None


class Installer(Protocol):
    """What installs bundles; every call raises `UpdateFailed`."""

    async def compatible(self) -> str:
        """Return which bundles fit this box."""

    async def inspect(self, source: str) -> Bundle:
        """Verify a bundle's signature and return what it says of itself."""

    async def is_installing(self) -> bool:
        """Tell whether an installation is under way, whoever began it."""

    async def install(self, source: str, on_progress: OnProgress) -> None:
        """Install into the other slot, without booting from it."""

    async def follow(self, on_progress: OnProgress) -> None:
        """Wait for an installation that an earlier run began; how it ended the slots tell."""

    async def slots(self) -> Slots:
        """Return the boot slots."""

    async def mark(self, state: Mark, slot: str) -> None:
        """Tell the boot loader that a slot works, does not, or is next."""


class Rauc:
    """The installer of the box.

    A server that takes the connection and then says nothing keeps RAUC waiting for good, while it
    looks into a bundle, when it answers nobody, and while it opens one to install it: it sets a
    limit on connecting alone (src/nbd.c, CURLOPT_CONNECTTIMEOUT; what the kernel reads of an open
    bundle ends after 300 s). `wish` is a file whose change makes systemd end it; it starts again
    when it is next asked.
    """

    def __init__(
        self,
        bus: SystemBus,
        *,
        wish: Path | None = None,
        look_seconds: float = LOOK_SECONDS,
        inspect_seconds: float = INSPECT_SECONDS,
        still_seconds: float = STILL_SECONDS,
        end_seconds: float = END_SECONDS,
    ) -> None:
        self._bus = bus
        self._wish = wish
        self._look_seconds = look_seconds
        self._inspect_seconds = inspect_seconds
        self._still_seconds = still_seconds
        self._end_seconds = end_seconds

    async def compatible(self) -> str:
        """Return the system's `compatible`, `allerac-<tier>`."""
        return str(await self._get("Compatible"))

    async def inspect(self, source: str) -> Bundle:
        """Let RAUC open the bundle, by its path or its URL."""
        try:
            info = await self._look_into(source)
        except UpdateFailed as error:
            if not isinstance(error.__cause__, LeftError):
                raise
            log.warning("installer_ended", source=source)
            info = await self._look_into(source)  # of the bundle, when it does so again
        update = info.get("update", {})
        return Bundle(
            compatible=str(update.get("compatible", "")),
            version=str(update.get("version", "")),
            manifest_hash=str(info.get("manifest-hash", "")),
        )

    async def _look_into(self, source: str) -> dict[str, Any]:
        """Ask once. RAUC 1.13 ends of a signature without a time (src/signature.c)."""
        try:
            [info] = await self._call(
                *("InspectBundle", "sa{sv}", source, {}),
                seconds=self._inspect_seconds,
                silent="server_slow",
                left="bundle_unreadable",
            )
        except UpdateFailed as error:
            if error.reason == "server_slow":
                await self._end(error.reason)
            raise
        found: dict[str, Any] = info
        return found

    async def is_installing(self) -> bool:
        """Ask for the operation, and whether it is busy all the same.

        RAUC 1.13 calls itself idle as soon as it has refused a second installation, while the first
        goes on (src/service.c).
        """
        if str(await self._get("Operation")) != "idle":
            return True
        try:
            await self._call("GetSlotStatus")
        except UpdateFailed as error:
            if error.reason != "installer_busy":
                raise
            return True
        return False

    async def install(self, source: str, on_progress: OnProgress) -> None:
        """Begin and wait for the end; raise with the reason when it is not a good one."""
        done: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        try:
            async with self._bus.listening(INSTALLER, _listener(done, on_progress)):
                await self._call("InstallBundle", "sa{sv}", source, {})
                result = await self._result(done, on_progress)
        except BusLostError as error:
            raise failed("installer_unavailable", str(error)) from error
        if result is None:
            raise failed("interrupted", "the installer ended without a result")
        if result != 0:
            cause = _meaning(str(await self._get("LastError")))
            if cause.reason == "disk_full":  # it takes the slot for half written: the disk knows
                await self._end(cause.reason)
            raise cause

    async def follow(self, on_progress: OnProgress) -> None:
        """Wait until nothing is being installed."""
        done: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        try:
            async with self._bus.listening(INSTALLER, _listener(done, on_progress)):
                await self._result(done, on_progress)
        except BusLostError as error:
            raise failed("installer_unavailable", str(error)) from error

    async def slots(self) -> Slots:
        """Ask for the state of both slots, and for the primary one."""
        [rows] = await self._call("GetSlotStatus")
        roots = [
            _slot(name, facts, [other for _, other in rows if other.get("parent") == name])
            for name, facts in rows
            if facts.get("class") == ROOT_CLASS
        ]
        booted = [slot for slot in roots if slot.booted]
        others = [slot for slot in roots if not slot.booted]
        if len(booted) != 1 or len(others) != 1:
            raise failed("installer_unavailable", f"not two boot slots: {roots}")
        try:
            [primary] = await self._call("GetPrimary")
        except UpdateFailed as error:
            log.warning("primary_slot_unknown", reason=error.detail)
            primary = None
        return Slots(booted[0], others[0], primary)

    async def mark(self, state: Mark, slot: str) -> None:
        """Mark `booted`, `other` or a slot by its name."""
        await self._call("Mark", "ss", state, slot)

    async def _result(self, done: "asyncio.Future[int]", on_progress: OnProgress) -> int | None:
        """Return what the installer says at the end, None when it fell silent before."""
        lost, moved = 0, Moved(self._still_seconds)
        while lost < LOST_LOOKS:
            finished, _ = await asyncio.wait({done}, timeout=self._look_seconds)
            if finished:
                return done.result()
            try:
                if not await self.is_installing():
                    # The signal may be on its way still.
                    finished, _ = await asyncio.wait({done}, timeout=self._look_seconds)
                    return done.result() if finished else None
                percent, what, _ = await self._get("Progress")
            except UpdateFailed:
                lost += 1
                continue
            lost = 0
            on_progress(percent, what)
            if not moved.lately((percent, what)):
                await self._end("transfer_cut")
                raise failed("transfer_cut", f"{self._still_seconds:.0f} s at “{what}”")
        raise failed("installer_unavailable", "it no longer answers")

    async def _end(self, reason: str) -> None:
        """Have RAUC ended, which hears nothing or remembers what is not so.

        It is waited for: whoever tries again at once would else be cut off by that end.
        """
        log.warning("installer_ended_for", reason=reason, ended=self._wish is not None)
        if self._wish is None:
            return
        owner = await self._bus.owner(INSTALLER.service)
        with suppress(OSError):
            await asyncio.to_thread(self._wish.write_text, "")
            for _ in range(int(self._end_seconds / END_LOOK_SECONDS)):
                if owner is None or owner != await self._bus.owner(INSTALLER.service):
                    return
                await asyncio.sleep(END_LOOK_SECONDS)

    async def _get(self, name: str) -> Any:
        try:
            return await self._bus.get(INSTALLER, name)
        except BusLostError as error:
            raise failed("installer_unavailable", str(error)) from error
        except RefusedError as error:
            raise _meaning(error.text) from error

    async def _call(
        self,
        member: str,
        signature: str = "",
        *arguments: Any,
        seconds: float = 60.0,
        silent: str = "installer_unavailable",
        left: str = "installer_unavailable",
    ) -> list[Any]:
        try:
            return await self._bus.call(INSTALLER, member, signature, *arguments, seconds=seconds)
        except SilentError as error:
            raise failed(silent, str(error)) from error
        except LeftError as error:
            raise failed(left, str(error)) from error
        except BusLostError as error:
            raise failed("installer_unavailable", str(error)) from error
        except RefusedError as error:
            raise _meaning(error.text) from error


def _listener(
    done: "asyncio.Future[int]", on_progress: OnProgress
) -> Callable[[str, list[Any]], None]:
    def listen(member: str, arguments: list[Any]) -> None:
        if member == "Completed" and not done.done():
            done.set_result(int(arguments[0]))
        elif member == "PropertiesChanged" and "Progress" in arguments[1]:
            percent, what, _ = arguments[1]["Progress"]
            on_progress(percent, what)

    return listen


def _slot(name: str, facts: dict[str, Any], parts: Sequence[dict[str, Any]]) -> Slot:
    """Return a slot with its `parts`, as its kernel's: it is whole when all are, of one bundle."""
    is_one = all(part.get("bundle.hash") == facts.get("bundle.hash") for part in parts)
    return Slot(
        name=name,
        bootname=str(facts.get("bootname", "")),
        booted=facts.get("state") == "booted",
        bootable=facts.get("boot-status") == "good",
        version=facts.get("bundle.version"),
        manifest_hash=facts.get("bundle.hash"),
        complete=is_one and all(each.get("status", "ok") == "ok" for each in (facts, *parts)),
        activations=int(facts.get("activated.count", 0)),
    )


_PHRASES = (
    ("not yet valid", "clock_behind"),
    ("lready processing", "installer_busy"),
    ("signature verification failed", "bundle_untrusted"),
    ("Verification failed", "bundle_untrusted"),
    ("Compatible mismatch", "other_tier"),
    ("Argument list too long", "device_not_ready"),
    ("failed to create nbd device", "device_not_ready"),
    ("configuring nbd device", "device_not_ready"),
    ("No space left", "disk_full"),
    ("does not fit to slot", "slot_write_failed"),
    ("Input/output error", "transfer_cut"),
    ("nbd server", "transfer_cut"),
    ("HTTP", "transfer_cut"),
    ("Failed to stream bundle", "transfer_cut"),
    ("payload is corrupted", "bundle_unreadable"),
    ("ignature", "bundle_unreadable"),
    ("No such file", "bundle_unreadable"),
    ("undle", "bundle_unreadable"),
)
"""RAUC 1.13 tells what happened by sentences alone; the first that fits decides."""


def _meaning(text: str) -> UpdateFailed:
    name = next((name for phrase, name in _PHRASES if phrase in text), "install_failed")
    return failed(name, text)


class NoInstaller:
    """A machine that nothing can be installed on, like a developer's."""

    async def compatible(self) -> str:
        """Nothing fits."""
        raise failed("installer_unavailable")

    async def inspect(self, source: str) -> Bundle:
        """Nobody can look into bundles."""
        raise failed("installer_unavailable", source)

    async def is_installing(self) -> bool:
        """Nothing ever is."""
        return False

    async def install(self, source: str, on_progress: OnProgress) -> None:
        """Nobody installs."""
        raise failed("installer_unavailable", source)

    async def follow(self, on_progress: OnProgress) -> None:
        """There is nothing to wait for."""

    async def slots(self) -> Slots:
        """There are none."""
        raise failed("installer_unavailable")

    async def mark(self, state: Mark, slot: str) -> None:
        """There is nothing to mark."""
        raise failed("installer_unavailable", f"{state} {slot}")
