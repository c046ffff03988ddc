"""RAUC's D-Bus service over an emulated box, on a private bus."""

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Annotated, Any

import pytest
from dbus_fast import DBusError, PropertyAccess, Variant
from dbus_fast.aio import MessageBus
from dbus_fast.annotations import DBusDict, DBusInt32, DBusSignature, DBusStr
from dbus_fast.service import ServiceInterface, dbus_method, dbus_property, dbus_signal

from allerac.errors import UpdateFailed
from allerac.updates.rauc import INSTALLER, Mark, Slot

from .emulated_box import EmulatedBox

BUS = """\
<busconfig>
  <type>session</type>
  <listen>unix:path={socket}</listen>
  <servicedir>{services}</servicedir>
  <policy context="default">
    <allow send_destination="*"/><allow receive_sender="*"/><allow own="*"/>
  </policy>
</busconfig>
"""

SlotRows = Annotated[list[Any], DBusSignature("a(sa{sv})")]
ProgressFacts = Annotated[list[Any], DBusSignature("(isi)")]
Marked = Annotated[list[Any], DBusSignature("ss")]

SAID = {
    "device_not_ready": "Failed to load dm table: Argument list too long",
    "transfer_cut": "Failed to stream bundle: nbd server failed",
    "bundle_untrusted": "signature verification failed: self-signed certificate",
    "bundle_unreadable": "bundle payload is corrupted",
    "slot_write_failed": "image does not fit to slot size 1",
    "other_tier": "Compatible mismatch: Expected 'allerac-vm' but bundle manifest has 'x'",
    "installer_busy": "Already processing a different method",
}
"""What RAUC says, in its words, for a reason of ours."""


def _refusal(error: UpdateFailed) -> DBusError:
    return DBusError("org.gtk.GDBus.UnmappedGError.Quark", SAID.get(error.reason, error.reason))


class FakeRauc(ServiceInterface):
    """Speaks as RAUC 1.13 does. With `keeps_silent` it never says when it has finished.

    With `waits_for_server` it waits for one that says nothing, and answers nobody.
    """

    def __init__(self, box: EmulatedBox) -> None:
        super().__init__(INSTALLER.interface)
        self.box = box
        self.bus: MessageBus | None = None
        self.keeps_silent = False
        self.kernels: dict[str, dict[str, Variant]] = {}
        """What is other of a slot's kernel than of the slot."""
        self.waits_for_server = False
        self.last_error = ""
        self._progress: list[Any] = [0, "", 0]
        self._work: asyncio.Task[None] | None = None

    @dbus_method(name="InstallBundle")
    async def install_bundle(self, source: DBusStr, args: DBusDict) -> None:
        """Begin; the end is told by a signal."""
        if args:
            raise DBusError("org.gtk.GDBus.Error", f"Unsupported key: {next(iter(args))}")
        if self.box.installing:
            raise DBusError("org.gtk.GDBus.Error", SAID["installer_busy"])
        self._work = asyncio.create_task(self._install(source))
        await asyncio.sleep(0)

    @dbus_method(name="InspectBundle")
    async def inspect_bundle(self, source: DBusStr, args: DBusDict) -> DBusDict:
        """Return the manifest as nested dictionaries."""
        assert args == {}
        if self.waits_for_server:
            await asyncio.Event().wait()
        try:
            bundle = await self.box.inspect(source)
        except UpdateFailed as error:
            raise _refusal(error) from error
        update = {
            "compatible": Variant("s", bundle.compatible),
            "version": Variant("s", bundle.version),
        }
        return {
            "manifest-hash": Variant("s", bundle.manifest_hash),
            "update": Variant("a{sv}", update),
        }

    @dbus_method(name="Mark")
    async def mark(self, state: DBusStr, slot: DBusStr) -> Marked:
        """Tell the boot loader."""
        known: dict[str, Mark] = {"good": "good", "bad": "bad", "active": "active"}
        await self.box.mark(known[state], slot)
        return [self.box.root(slot).name, f"marked slot {slot} as {state}"]

    @dbus_method(name="GetSlotStatus")
    async def get_slot_status(self) -> SlotRows:
        """Return what the status file and the boot loader know."""
        try:
            slots = await self.box.slots()
        except UpdateFailed as error:
            raise _refusal(error) from error
        both = (slots.booted, slots.other)
        rows = [[slot.name, _facts(slot)] for slot in both]
        kernels = [[f"boot.{number}", self._kernel_of(slot)] for number, slot in enumerate(both)]
        return [*rows, *kernels]

    @dbus_method(name="GetPrimary")
    async def get_primary(self) -> DBusStr:
        """Return the first slot that the boot loader would try."""
        primary = (await self.box.slots()).primary
        if primary is None:
            raise DBusError("org.gtk.GDBus.Error", "Failed getting primary slot")
        return primary

    @dbus_property(PropertyAccess.READ, name="Operation")
    def operation(self) -> DBusStr:
        """Return what is going on."""
        return "installing" if self.box.installing else "idle"

    @dbus_property(PropertyAccess.READ, name="LastError")
    def error(self) -> DBusStr:
        """Return why the last installation failed."""
        return self.last_error

    @dbus_property(PropertyAccess.READ, name="Progress")
    def progress(self) -> ProgressFacts:
        """Return percent, message and depth."""
        return self._progress

    @dbus_property(PropertyAccess.READ, name="Compatible")
    def compatible(self) -> DBusStr:
        """Return the box's own."""
        return "allerac-vm"

    @dbus_signal(name="Completed")
    def completed(self, result: int) -> DBusInt32:
        """Say that it is over."""
        return result

    def _kernel_of(self, slot: Slot) -> dict[str, Variant]:
        told = {**_facts(slot), **self.kernels.get(slot.name, {})}
        del told["bootname"], told["boot-status"]
        return {**told, "class": Variant("s", "boot"), "parent": Variant("s", slot.name)}

    async def _install(self, source: str) -> None:
        try:
            await self.box.install(source, self._tell)
            result = 0
        except UpdateFailed as error:
            self.last_error = SAID.get(error.reason, error.reason)
            result = 1
        if not self.keeps_silent:
            self.completed(result)

    def _tell(self, percent: int, what: str) -> None:
        self._progress = [percent, what, 1]
        self.emit_properties_changed({"Progress": self._progress})


def _facts(slot: Slot) -> dict[str, Variant]:
    facts: dict[str, Variant] = {
        "class": Variant("s", "rootfs"),
        "bootname": Variant("s", slot.bootname),
        "state": Variant("s", "booted" if slot.booted else "inactive"),
        "boot-status": Variant("s", "good" if slot.bootable else "bad"),
    }
    if slot.version is not None and slot.manifest_hash is not None:
        facts["bundle.version"] = Variant("s", slot.version)
        facts["bundle.hash"] = Variant("s", slot.manifest_hash)
    if slot.version is not None or not slot.complete:
        facts["status"] = Variant("s", "ok" if slot.complete else "pending")
    if slot.activations:
        facts["activated.count"] = Variant("u", slot.activations)
    return facts


@contextmanager
def private_bus(folder: Path) -> Iterator[str]:
    """Run a bus of our own and yield its address; it starts what `services` in `folder` names."""
    socket, settings = folder / "bus", folder / "bus.conf"
    settings.write_text(BUS.format(socket=socket, services=folder / "services"))
    program = shutil.which("dbus-daemon")
    if program is None:
        pytest.skip("needs `dbus-daemon`: apt install dbus-daemon")
    command = [program, f"--config-file={settings}", "--nofork", "--print-address"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as daemon:
        assert daemon.stdout is not None
        try:
            yield daemon.stdout.readline().strip()
        finally:
            daemon.terminate()


@asynccontextmanager
async def fake_rauc(address: str, box: EmulatedBox) -> AsyncIterator[FakeRauc]:
    """Offer RAUC on the bus at `address`."""
    bus = await MessageBus(bus_address=address).connect()
    rauc = FakeRauc(box)
    rauc.bus = bus
    bus.export(INSTALLER.path, rauc)
    await bus.request_name(INSTALLER.service)
    try:
        yield rauc
    finally:
        bus.disconnect()


async def ends_at(wish: Path, service: FakeRauc, seconds: float) -> None:
    """Do what the box's path unit does: end the service `seconds` after there is a `wish`."""
    while not await asyncio.to_thread(wish.exists):  # noqa: ASYNC110 - a file has no event
        await asyncio.sleep(0.01)
    await asyncio.sleep(seconds)
    assert service.bus is not None
    service.bus.disconnect()
