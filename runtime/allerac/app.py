"""The composition root: the only place that constructs and connects."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from fastapi import FastAPI

from allerac import __version__
from allerac.accounts import AccountService, Passwords
from allerac.accounts import codes as account_codes
from allerac.accounts import names as account_names
from allerac.accounts import passwords as account_passwords
from allerac.api import (
    box,
    conversations,
    generations,
    models,
    onboarding,
    openai,
    people,
    probes,
    session,
)
from allerac.api.errors import install_error_handlers
from allerac.api.guard import RequestGuard
from allerac.api.proxy import ProxyHeaders
from allerac.api.schemas.shapes import ProblemBody
from allerac.api.services import Services
from allerac.api.web import serve_web_application
from allerac.box import BoxService, Nearby, Place
from allerac.chat import ChatService, CompletionService
from allerac.engine.process import connect_to, spawn
from allerac.engine.supervisor import EngineSupervisor
from allerac.events import EventLogs
from allerac.hardware.choice import ProfileChoice, choose_profile
from allerac.hardware.machine import Machine, detect_machine
from allerac.hardware.profile import Profiles, load_profiles
from allerac.models import ModelRoom, ModelService
from allerac.models.catalogue import Catalogue, DemoModel, load_demo_model
from allerac.network import (
    Announcer,
    BoxIdentity,
    HostAllowList,
    list_addresses,
    suggest_host_label,
)
from allerac.onboarding import OnboardingService
from allerac.onboarding.claim_code import CODE_LENGTH, ClaimCode
from allerac.settings import Settings
from allerac.storage import Database
from allerac.storage.accounts import AccountStore
from allerac.storage.attempts import AttemptStore
from allerac.storage.box import BoxRecord, BoxStore
from allerac.storage.conversations import ConversationStore
from allerac.storage.invitations import InvitationStore

log = structlog.get_logger()

ROUTERS = (session, people, onboarding, box, models, conversations, generations)


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


class Runtime:
    """Everything that runs, in the order in which it starts."""

    def __init__(
        self, settings: Settings, *, port: int, passwords: Passwords | None = None
    ) -> None:
        hardware = read_hardware(settings)
        passwords = passwords or Passwords()
        self.database = Database(settings.data_dir / "allerac.sqlite")
        socket = settings.engine_socket
        self.engine = EngineSupervisor(launch=spawn if socket is None else connect_to(socket))
        loopback = settings.socket is None and is_loopback(settings.host)
        self.presence = NetworkPresence(port=port, announce=settings.announce, loopback=loopback)
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
                code=ClaimCode(
                    settings.data_dir / "secrets" / "claim-code",
                    lambda: account_codes.new_code(1, CODE_LENGTH),
                ),
                secrets=AccountSecrets(passwords),
            ),
        )

    async def start(self) -> None:
        """Start the parts; nothing waits for the network or for a model."""
        services = self.services
        await self.database.open()
        await self.engine.start()
        await services.onboarding.start()
        await services.chat.start(datetime.now(UTC))
        await services.models.start()
        await services.box.start()

    async def stop(self) -> None:
        """Stop the parts in the opposite order; one that fails does not keep the others."""
        services = self.services
        parts: Sequence[Callable[[], Awaitable[None]]] = (
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


def is_loopback(host: str) -> bool:
    """Tell whether only this machine reaches `host`."""
    return host == "localhost" or host.startswith("127.") or host == "::1"


class AccountSecrets:
    """What the wizard needs of the accounts room."""

    def __init__(self, passwords: Passwords) -> None:
        self._passwords = passwords

    clean_name = staticmethod(account_names.clean_name)
    name_key = staticmethod(account_names.name_key)
    normalise_code = staticmethod(account_codes.normalise_code)
    new_token = staticmethod(account_codes.new_token)
    hash_token = staticmethod(account_codes.hash_token)

    def require_strong(self, password: str, names: Sequence[str]) -> None:
        """Raise `InvalidInput` for a password that would be guessed."""
        account_passwords.require_strong(password, names)

    async def hash_password(self, password: str) -> str:
        """Return the encoded hash."""
        return await self._passwords.hash(password)

    def new_recovery_code(self) -> str:
        """Return a code to keep."""
        return account_codes.new_code(account_codes.RECOVERY_GROUPS)


class StoredDefault:
    """The household's model, kept with the box."""

    def __init__(self, boxes: BoxStore) -> None:
        self._boxes = boxes

    async def load(self) -> str | None:
        """Return the chosen model."""
        return (await self._boxes.load()).default_model_id

    async def save(self, model_id: str) -> None:
        """Keep the choice."""
        await self._boxes.change({"default_model_id": model_id})


class NetworkPresence:
    """The announcer as the box sees it; switched off, or on loopback only, it is silent."""

    def __init__(self, *, port: int, announce: bool, loopback: bool) -> None:
        self._announcer = Announcer(port=port) if announce and not loopback else None
        self._loopback = loopback
        self._identity: BoxIdentity | None = None
        self._joined = False
        self._joining: asyncio.Task[None] | None = None

    async def announce(self, record: BoxRecord) -> None:
        """Announce in the background: a network that is slow keeps nobody waiting."""
        self._identity = BoxIdentity(
            device_id=record.device_id,
            suffix=record.suffix,
            name=record.name,
            claimed=record.claimed_at is not None,
            version=__version__,
        )
        if self._announcer is not None:
            before = self._joining
            self._joining = asyncio.create_task(self._announce(self._announcer, before))

    async def stop(self) -> None:
        """Say goodbye."""
        if self._joining is not None:
            self._joining.cancel()
            await asyncio.gather(self._joining, return_exceptions=True)
        if self._announcer is not None:
            await self._announcer.stop()

    async def _announce(self, announcer: Announcer, before: "asyncio.Task[None] | None") -> None:
        if before is not None:
            await asyncio.gather(before, return_exceptions=True)
        identity = self._identity
        if identity is None:
            return
        try:
            if self._joined:
                await announcer.update(identity)
            else:
                await announcer.start(identity)
                self._joined = True
        except OSError as error:
            log.warning("not_announced", reason=str(error))

    def names(self) -> list[str]:
        """Return the names that answer now."""
        return self._announcer.names() if self._announcer is not None else []

    def host_names(self) -> list[str]:
        """Return the names under which requests are ours, announced or resolved otherwise."""
        identity = self._identity
        own = [f"{identity.label}.local", f"{identity.own_label}.local"] if identity else []
        return [*own, *self.names()]

    def conflict(self) -> str | None:
        """Return why a name is not ours."""
        return self._announcer.conflict if self._announcer is not None else None

    def places(self) -> list[Place]:
        """Return the addresses that lead here."""
        if self._loopback:
            return [Place("127.0.0.1", "lo")]
        return [Place(address.ip, address.interface) for address in list_addresses()]

    def nearby(self) -> list[Nearby]:
        """Return other boxes seen."""
        boxes = self._announcer.boxes() if self._announcer is not None else []
        return [
            Nearby(
                id=seen.id,
                name=seen.name,
                suffix=seen.suffix,
                state=seen.state,
                addresses=seen.addresses,
                version=seen.version,
                last_seen=seen.last_seen,
            )
            for seen in boxes
        ]

    def label_for(self, name: str) -> str:
        """Return the host label of a box's name."""
        return suggest_host_label(name)


def openapi_document(settings: Settings) -> dict[str, object]:
    """Return the OpenAPI document of the whole application."""
    app = create_app(settings.model_copy(update={"announce": False}), port=80)
    document: dict[str, object] = app.openapi()
    return document


__all__ = ["Runtime", "build_model_service", "create_app", "openapi_document"]
