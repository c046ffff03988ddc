"""The wing of the appliance: the box itself, and its screen and certificate over a socket."""

from pathlib import Path

from allerac import __version__
from allerac.app.ground import Ground
from allerac.app.network import NetworkPresence
from allerac.appliance.certificate import CertificateFolder
from allerac.appliance.ssh_door import SshDoor
from allerac.appliance.upkeep import Upkeep
from allerac.appliance.view import FILE_NAME, BoxView
from allerac.box import BoxService
from allerac.burn_in import CertificateOffer
from allerac.engine.protocol import Engine
from allerac.onboarding import OnboardingService
from allerac.ssh import SshService
from allerac.storage.ssh import SshStore


def build_box(ground: Ground, engine: Engine, presence: NetworkPresence, port: int) -> BoxService:
    """Return the service that knows the box itself."""
    return BoxService(
        store=ground.boxes,
        engine=engine,
        presence=presence,
        identity=ground.identity,
        certificates=ground.certificates,
        machine=ground.hardware.machine,
        choice=ground.hardware.choice,
        data_dir=ground.settings.data_dir,
        port=port,
        version=__version__,
    )


def build_birth_offer(ground: Ground) -> CertificateOffer:
    """Return what hands the birth certificate to the station, before anybody owns the box."""

    async def is_claimed() -> bool:
        return (await ground.boxes.load()).claimed_at is not None

    return CertificateOffer(ground.settings.offered_certificate, is_claimed)


def build_ssh(ground: Ground) -> SshService:
    """Return what opens SSH; without a folder for the wish it is not this runtime's to open."""
    settings = ground.settings
    door = None
    if settings.ssh_dir is not None:
        door = SshDoor(settings.ssh_dir, settings.ssh_host_key)
    return SshService(SshStore(ground.database), door)


def build_upkeep(
    socket: Path | None, certificates: CertificateFolder, onlooker: "Onlooker"
) -> Upkeep | None:
    """Return what tends screen and certificate of a box; a developer's machine has neither."""
    if socket is None:
        return None
    return Upkeep(
        look=onlooker.look,
        certificates=certificates,
        view_file=socket.with_name(FILE_NAME),
    )


class Onlooker:
    """Looks at the box from outside, for its screen and its certificate."""

    def __init__(
        self, presence: NetworkPresence, onboarding: OnboardingService, engine: Engine
    ) -> None:
        self._presence = presence
        self._onboarding = onboarding
        self._engine = engine

    def look(self) -> BoxView:
        """Return the box as it is now; names that another machine holds come last."""
        presence, identity = self._presence, self._presence.identity
        conflict = presence.conflict()
        names = list(dict.fromkeys(presence.host_names()))
        return BoxView(
            name=identity.name if identity else "Allerac",
            names=tuple(reversed(names) if conflict else names),
            addresses=tuple(place.ip for place in presence.places()),
            conflict=conflict,
            claimed=identity is not None and identity.claimed,
            claim_code=self._onboarding.claim_code(),
            engine=self._engine.status().state,
        )
