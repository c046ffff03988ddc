"""The composition root: the only place that constructs and connects."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog
from fastapi import FastAPI

from allerac import __version__
from allerac.accounts import AccountService, Passwords
from allerac.accounts import codes as account_codes
from allerac.adapters import (
    AccountSecrets,
    NetworkPresence,
    Onlooker,
    StoredDefault,
)
from allerac.api import (
    box,
    certificate,
    conversations,
    generations,
    models,
    onboarding,
    openai,
    people,
    probes,
    session,
    updates,
)
from allerac.api.errors import install_error_handlers
from allerac.api.guard import RequestGuard
from allerac.api.proxy import ProxyHeaders
from allerac.api.schemas.shapes import ProblemBody
from allerac.api.services import Services
from allerac.api.web import serve_web_application
from allerac.appliance.certificate import CertificateFolder
from allerac.appliance.clock import ClockWatch
from allerac.appliance.identity import FactoryIdentity, read_identity
from allerac.appliance.upkeep import Upkeep
from allerac.appliance.view import FILE_NAME
from allerac.box import BoxService
from allerac.chat import ChatService, CompletionService
from allerac.engine.process import Launch, connect_to, spawn
from allerac.engine.supervisor import EngineSupervisor
from allerac.errors import InvalidInput
from allerac.events import EventLogs
from allerac.hardware.choice import ProfileChoice, choose_profile
from allerac.hardware.machine import Machine, detect_machine
from allerac.hardware.profile import Profiles, load_profiles
from allerac.models import ModelRoom, ModelService
from allerac.models.catalogue import Catalogue, DemoModel, load_demo_model
from allerac.network import HostAllowList
from allerac.onboarding import OnboardingService
from allerac.onboarding.claim_code import CODE_LENGTH, ClaimCode, ClaimProof, LabelCode
from allerac.settings import Settings
from allerac.storage import Database
from allerac.storage.accounts import AccountStore
from allerac.storage.attempts import AttemptStore
from allerac.storage.box import BoxStore
from allerac.storage.clock import move_expiry
from allerac.storage.conversations import ConversationStore
from allerac.storage.invitations import InvitationStore
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

ROUTERS = (session, people, onboarding, box, updates, models, conversations, generations)


@dataclass(frozen=True, slots=True)
class Hardware:
    """The machine, its profile and all profiles."""

    machine: Machine
    choice: ProfileChoice
    profiles: Profiles


def read_hardware(settings: Settings) -> Hardware:
    """Detect the machine and choose its profile, or take the one that is set."""
    profiles = load_profiles(settings.profiles_dir)
    machine = detect_machine(data_dir=settings.data_dir)
    choice = choose_profile(machine, profiles)
    if settings.profile is not None:
        profile = profiles.by_id[settings.profile]
        choice = ProfileChoice(profile, False, "This profile was set by the operator.")
    return Hardware(machine, choice, profiles)


def build_model_service(settings: Settings, hardware: Hardware) -> ModelService:
    """Return the service of model files, as runtime and command line use it."""
    facts = settings.demo_model_dir / "model.yaml"
    demo: DemoModel | None = load_demo_model(facts) if facts.is_file() else None
    return ModelService(
        directory=settings.data_dir / "models",
        catalogue=Catalogue.of(hardware.choice.profile, hardware.profiles.pins),
        demo=demo,
        machine=hardware.machine,
        choice=hardware.choice,
        source_url=settings.model_source,
        bandwidth_limit=settings.download_bytes_per_second,
    )


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


def _launch(engine_socket: Path | None) -> Launch:
    """Return how an engine process is had: from systemd by its socket, or started by us."""
    return spawn if engine_socket is None else connect_to(engine_socket)


class Runtime:
    """Everything that runs, in the order in which it starts."""

    def __init__(
        self, settings: Settings, *, port: int, passwords: Passwords | None = None
    ) -> None:
        hardware = read_hardware(settings)
        identity = read_identity(settings.identity_dir)
        passwords = passwords or Passwords()
        self.database = Database(settings.data_dir / "allerac.sqlite")
        self.bus = SystemBus()
        self.engine = EngineSupervisor(launch=_launch(settings.engine_socket))
        host = settings.host if settings.socket is None else None
        self.presence = NetworkPresence(port=port, host=host, announce=settings.announce)
        certificates = CertificateFolder(settings.data_dir / "tls")
        boxes = BoxStore(self.database)
        attempts = AttemptStore(self.database)
        rooms = ModelRoom(
            files=build_model_service(settings, hardware),
            engine=self.engine,
            default=StoredDefault(boxes),
            machine=hardware.machine,
            choice=hardware.choice,
        )
        self.services = Services(
            accounts=AccountService(
                accounts=AccountStore(self.database),
                invitations=InvitationStore(self.database),
                attempts=attempts,
                passwords=passwords,
            ),
            box=BoxService(
                store=boxes,
                engine=self.engine,
                presence=self.presence,
                identity=identity,
                certificates=certificates,
                machine=hardware.machine,
                choice=hardware.choice,
                data_dir=settings.data_dir,
                port=port,
                version=__version__,
            ),
            chat=ChatService(
                store=ConversationStore(self.database),
                engine=self.engine,
                models=rooms,
                logs=EventLogs(),
            ),
            completions=CompletionService(engine=self.engine, models=rooms),
            models=rooms,
            onboarding=OnboardingService(
                store=boxes,
                attempts=attempts,
                code=_claim_proof(settings, identity, passwords),
                secrets=AccountSecrets(passwords),
            ),
            updates=build_update_service(
                settings, self.database, self.bus, lambda: self.engine.status().active > 0
            ),
        )
        self.clock = ClockWatch(self._follow_clock)
        self.upkeep = self._make_upkeep(settings.socket, certificates)

    async def start(self) -> None:
        """Start the parts; nothing waits for the network, the time, or a model."""
        services = self.services
        if self.upkeep is not None:
            await self.upkeep.clear()
        await self.database.open()
        await self.clock.start()
        await self.engine.start()
        await services.onboarding.start()
        await services.chat.start(datetime.now(UTC))
        await services.models.start()
        await services.box.start()
        await services.updates.start()
        if self.upkeep is not None:
            await self.upkeep.start()

    async def stop(self) -> None:
        """Stop the parts in the opposite order; one that fails does not keep the others."""
        services = self.services
        parts: Sequence[Callable[[], Awaitable[None]]] = (
            *([self.upkeep.stop] if self.upkeep is not None else []),
            self.clock.stop,
            services.updates.stop,
            self.bus.close,
            self.presence.stop,
            services.chat.stop,
            services.models.stop,
            self.engine.stop,
            self.database.close,
        )
        for stop in parts:
            try:
                await stop()
            except Exception:  # the boundary of shutting down
                log.exception("part_did_not_stop", part=stop.__qualname__)

    def _make_upkeep(self, socket: Path | None, certificates: CertificateFolder) -> Upkeep | None:
        """Return what tends screen and certificate of a box; a developer's machine has neither."""
        if socket is None:
            return None
        onlooker = Onlooker(self.presence, self.services.onboarding, self.engine)
        return Upkeep(
            look=onlooker.look,
            certificates=certificates,
            view_file=socket.with_name(FILE_NAME),
        )

    async def _follow_clock(self, before: datetime, step: timedelta) -> None:
        moved = await move_expiry(self.database, before, step)
        log.info("expiry_moved", rows=moved)


def _claim_proof(settings: Settings, identity: FactoryIdentity, passwords: Passwords) -> ClaimProof:
    if identity.claim_code_hash is not None:
        return LabelCode(identity.claim_code_hash, passwords.verify)
    path = settings.data_dir / "secrets" / "claim-code"
    return ClaimCode(path, lambda: account_codes.new_code(1, CODE_LENGTH))


def create_app(settings: Settings, *, port: int, passwords: Passwords | None = None) -> FastAPI:
    """Return the application; it starts and stops with its lifespan."""
    runtime = Runtime(settings, port=port, passwords=passwords)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await runtime.start()
        try:
            yield
        finally:
            await runtime.stop()

    app = FastAPI(
        title="Allerac",
        version=__version__,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        responses={"default": {"model": ProblemBody, "description": "What went wrong"}},
    )
    app.state.services = runtime.services
    app.state.runtime = runtime
    install_error_handlers(app)
    for module in ROUTERS:
        app.include_router(module.router, prefix="/api/v1")
    app.include_router(openai.router)
    app.include_router(probes.router)
    app.include_router(certificate.router)
    serve_web_application(app, settings.web_dir)
    hosts = HostAllowList(
        names=runtime.presence.host_names,
        addresses=lambda: [place.ip for place in runtime.presence.places()],
        extra=settings.extra_hosts,
    )
    app.add_middleware(RequestGuard, is_own_host=hosts)
    if settings.socket is not None:
        app.add_middleware(ProxyHeaders)
    return app


def openapi_document(settings: Settings) -> dict[str, object]:
    """Return the OpenAPI document of the whole application."""
    app = create_app(settings.model_copy(update={"announce": False}), port=80)
    document: dict[str, object] = app.openapi()
    return document


__all__ = ["AccountSecrets", "Runtime", "build_model_service", "create_app", "openapi_document"]
