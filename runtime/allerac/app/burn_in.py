"""The burn-in's wiring: a unit's own engine, model and profile, before the runtime starts."""

import asyncio
import dataclasses
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import structlog

from allerac import __version__
from allerac.app.hardware import Hardware, read_hardware
from allerac.app.models import build_model_service
from allerac.appliance.burn_in_view import FILE_NAME
from allerac.appliance.identity import FactoryIdentity, read_identity
from allerac.appliance.tpm import Tpm
from allerac.burn_in import (
    BurnIn,
    Certificate,
    DeviceKey,
    Extent,
    InferenceLoad,
    Keeper,
    Reporter,
    is_factory_mode,
    offer,
    sign,
    tpm_version,
    unit_key,
)
from allerac.engine.process import connect_to, spawn
from allerac.engine.supervisor import EngineSupervisor
from allerac.errors import AlleracError, InvalidInput, Unavailable
from allerac.hardware.choice import ProfileChoice
from allerac.hardware.machine import Machine
from allerac.hardware.profile import Profile
from allerac.hardware.sensors import Sysfs
from allerac.models import ModelRoom, ModelService
from allerac.settings import Settings

log = structlog.get_logger()

HAND_OVER: Final = "allerac-hand-over@{}.service"
DEVICE: Final = re.compile(r"[a-z0-9]+")
START_SECONDS: Final = 10.0
TPM_VERSION: Final = 2
"""An older one knows no such key."""


class NoChoice:
    """Nobody has chosen a model: the unit is nobody's yet."""

    async def load(self) -> None:
        """Return nothing."""

    async def save(self, model_id: str) -> None:
        """Keep nothing."""


MB = 1_000_000


async def run_burn_in(
    settings: Settings,
    tell: Callable[[str], None],
    seconds: float | None = None,
    memory_mb: int | None = None,
    disk_mb: int | None = None,
    machine: Machine | None = None,
) -> bool:
    """Do the burn-in of this unit and keep its certificate; True when it passed.

    What is None is as long and as much as the tier asks for; `machine` is detected.
    Raises `InvalidInput` outside of factory mode, `Unavailable` when nothing can be kept.
    """
    folder = settings.identity_dir
    if folder is None or not is_factory_mode(folder):
        raise InvalidInput("This unit is not in factory mode.", hint="It has passed already.")
    identity = read_identity(folder)
    if identity.serial is None:
        raise InvalidInput("This unit has no serial.", hint="Flash it by a factory job.")
    keeper = Keeper(folder)
    reporter = Reporter(identity.serial, tell, screen_of(settings))
    key = await _key(settings, identity, keeper, reporter)
    hardware = hardware_of_unit(settings, keeper.tier(), machine)
    socket = settings.engine_socket
    engine = EngineSupervisor(launch=spawn if socket is None else connect_to(socket))
    files = build_model_service(settings, hardware)
    rooms = ModelRoom(
        files=files,
        engine=engine,
        default=NoChoice(),
        machine=hardware.machine,
        choice=hardware.choice,
    )
    profile = hardware.choice.profile
    burn_in = BurnIn(
        identity=identity,
        machine=hardware.machine,
        profiles=hardware.profiles,
        tier=profile.id,
        image=settings.profile,
        flash_id=keeper.flash_id(),
        attempt=keeper.attempt(),
        key=key,
        load=InferenceLoad(engine, profile.burn_in.model, rooms.ensure_loaded),
        data_dir=settings.data_dir,
        version=__version__,
        extent=_extent(profile, seconds, memory_mb, disk_mb),
        reporter=reporter,
        sysfs=Sysfs(settings.sensors_root),
    )
    document = await _certified(burn_in, files, keeper, key, reporter, settings.data_dir)
    passed = bool(document["certificate"]["passed"])
    reporter.end(passed=passed)
    await _hand_over(document, settings, reporter)
    return passed


async def _key(
    settings: Settings, identity: FactoryIdentity, keeper: Keeper, reporter: Reporter
) -> DeviceKey:
    """Return the key that signs, in the TPM if there is one; the screen tells if there is none."""
    has_tpm = tpm_version(Sysfs(settings.sensors_root)) == TPM_VERSION
    tpm = Tpm(settings.tpm) if has_tpm else None
    with _told(reporter):
        unit = {
            "serial": identity.serial,
            "device_id": identity.device_id,
            "flash_id": keeper.flash_id(),
        }
        return await asyncio.to_thread(unit_key, keeper.identity, unit, tpm)


async def _certified(
    burn_in: BurnIn,
    files: ModelService,
    keeper: Keeper,
    key: DeviceKey,
    reporter: Reporter,
    data_dir: Path,
) -> Certificate:
    """Do the checks, sign and keep what they found; the screen tells when that is impossible."""
    with _told(reporter):
        await asyncio.to_thread(data_dir.mkdir, parents=True, exist_ok=True)
        await files.start()
        try:
            body = await burn_in.run()
            document: Certificate = await asyncio.to_thread(sign, body, key)
            keeper.keep(document, key)
        finally:
            await files.stop()
    return document


@contextmanager
def _told(reporter: Reporter) -> Iterator[None]:
    """Let the screen say why there is no certificate; raises `AlleracError` for that reason."""
    try:
        yield
    except OSError as error:
        reporter.give_up(f"The certificate cannot be kept: {error}.")
        raise Unavailable(f"The certificate cannot be kept: {error}.") from error
    except AlleracError as error:
        reporter.give_up(f"{error.message} {error.hint}".strip())
        raise


def screen_of(settings: Settings) -> Path | None:
    """Return the file of what the screen shows of a burn-in: beside the certificate it offers."""
    offered = settings.offered_certificate
    return offered.with_name(FILE_NAME) if offered else None


async def _hand_over(document: Certificate, settings: Settings, reporter: Reporter) -> None:
    """Let the station have the certificate, by every way that there is."""
    if not settings.offered_certificate or not offer(document, settings.offered_certificate):
        return
    reporter.kept("The station can collect the certificate over the network or by a USB drive.")
    for drive in sorted(settings.drives_dir.glob("*")):  # later ones are brought by udev
        if DEVICE.fullmatch(drive.name):
            await _start(HAND_OVER.format(drive.name))


async def _start(unit: str) -> None:
    """Have systemd start a unit, and wait for nothing."""
    words = ("/usr/bin/systemctl", "start", "--no-block", unit)
    try:
        process = await asyncio.create_subprocess_exec(*words, stdin=asyncio.subprocess.DEVNULL)
        async with asyncio.timeout(START_SECONDS):
            await process.wait()
    except (OSError, TimeoutError) as error:
        log.warning("unit_not_started", unit=unit, reason=str(error))


def hardware_of_unit(settings: Settings, tier: str | None, machine: Machine | None) -> Hardware:
    """Return the machine and the tier that the factory made it as, before the image's own.

    Raises `InvalidInput` for a tier that this system does not know.
    """
    hardware = read_hardware(settings)
    if machine is not None:
        hardware = dataclasses.replace(hardware, machine=machine)
    if tier is None:
        return hardware
    profile = hardware.profiles.by_id.get(tier)
    if profile is None:
        raise InvalidInput(
            f"The unit was made as {tier!r}, which this system does not know.",
            hint="Flash it by a job with the image of its tier.",
        )
    choice = ProfileChoice(profile, False, "The factory made this unit as one of this tier.")
    return dataclasses.replace(hardware, choice=choice)


def _extent(
    profile: Profile, seconds: float | None, memory_mb: int | None, disk_mb: int | None
) -> Extent:
    usual = Extent.of(profile)
    return Extent(
        load_seconds=usual.load_seconds if seconds is None else seconds,
        memory_bytes=usual.memory_bytes if memory_mb is None else memory_mb * MB,
        disk_bytes=usual.disk_bytes if disk_mb is None else disk_mb * MB,
    )
