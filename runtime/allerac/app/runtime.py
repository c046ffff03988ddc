"""Everything that runs, in the order in which it starts."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

import structlog

from allerac import __version__
from allerac.accounts import AccountService, Passwords
from allerac.api.services import Services
from allerac.app.accounts import AccountSecrets, build_claim_proof
from allerac.app.appliance import Onlooker, build_upkeep
from allerac.app.engine import build_speeds, launch_of
from allerac.app.health import Rooms, build_health
from allerac.app.knowledge import (
    EmbeddingShelf,
    build_assistants,
    build_knowledge,
    build_librarian,
)
from allerac.app.models import StoredDefault, build_model_service, read_hardware
from allerac.app.network import NetworkPresence
from allerac.app.support import build_support
from allerac.app.updates import build_updates
from allerac.appliance.certificate import CertificateFolder
from allerac.appliance.clock import ClockWatch
from allerac.appliance.identity import read_identity
from allerac.appliance.rescue_codes import RescueCodes
from allerac.appliance.secret_box import SecretBox
from allerac.box import BoxService
from allerac.chat import ChatService, CompletionService
from allerac.engine.engines import Engines
from allerac.engine.supervisor import EngineSupervisor
from allerac.engine.trial import try_model
from allerac.events import EventLogs
from allerac.health import AnswerWatch, Metrics, SpeedBook
from allerac.models import ModelRoom
from allerac.models.remote import RemoteModels
from allerac.onboarding import OnboardingService
from allerac.settings import Settings
from allerac.storage import Database
from allerac.storage.accounts import AccountStore
from allerac.storage.attempts import AttemptStore
from allerac.storage.box import BoxStore
from allerac.storage.clock import move_expiry
from allerac.storage.conversations import ConversationStore
from allerac.storage.invitations import InvitationStore
from allerac.storage.remote_models import RemoteModelStore
from allerac.updates import SystemBus

log = structlog.get_logger()


class Runtime:
    """Everything that runs, in the order in which it starts."""

    def __init__(
        self, settings: Settings, *, port: int, passwords: Passwords | None = None
    ) -> None:
        hardware = read_hardware(settings)
        identity = read_identity(settings.identity_dir)
        passwords = passwords or Passwords()
        rescue = RescueCodes(settings.identity_dir and settings.identity_dir / "rescue")
        self.database = Database(settings.data_dir / "allerac.sqlite")
        self.bus = SystemBus()
        self.secrets = SecretBox(settings.data_dir / "secrets" / "secret-box.key")
        answers = AnswerWatch(Metrics(), SpeedBook(), lambda: self.engine.status().model_id)
        self.engine = EngineSupervisor(launch=launch_of(settings), on_step=answers.on_step)
        host = settings.host if settings.socket is None else None
        self.presence = NetworkPresence(port=port, host=host, announce=settings.announce)
        certificates = CertificateFolder(settings.data_dir / "tls")
        self.updates = build_updates(settings, self.database, self.bus, self.engine)
        boxes = BoxStore(self.database)
        attempts = AttemptStore(self.database)
        files = build_model_service(settings, hardware)
        self.knowledge = build_knowledge(
            settings,
            self.database,
            EmbeddingShelf(settings, hardware, files),
            launch_of(settings),
            lambda: self.engine.status().active > 0,
        )
        remote_models = RemoteModels(RemoteModelStore(self.database), self.secrets)
        engines = Engines(self.engine, remote_models.route)
        rooms = ModelRoom(
            files=files,
            engine=self.engine,
            default=StoredDefault(boxes),
            machine=hardware.machine,
            choice=hardware.choice,
            trial=partial(try_model, launch=launch_of(settings)),
            elsewhere=remote_models,
        )
        self.health = build_health(
            settings,
            Rooms(
                database=self.database,
                engine=self.engine,
                models=rooms,
                updates=self.updates.service,
                presence=self.presence,
                certificates=certificates,
                attempts=attempts,
                boxes=boxes,
                hardware=hardware,
            ),
            answers,
            self.secrets,
        )
        assistants = build_assistants(self.database, rooms)
        librarian = build_librarian(
            self.database,
            self.knowledge.retriever,
            lambda: self.engine.status().speed.prefill_tokens_per_second,
        )
        self.services = Services(
            assistants=assistants,
            alerts=self.health.alerts,
            health=self.health.service,
            support=build_support(
                settings, hardware, self.health.service, AccountStore(self.database), boxes
            ),
            metrics=self.health.metrics,
            accounts=AccountService(
                accounts=AccountStore(self.database),
                invitations=InvitationStore(self.database),
                attempts=attempts,
                passwords=passwords,
                rescue=rescue,
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
                engine=engines,
                models=rooms,
                logs=EventLogs(),
                library=librarian,
            ),
            completions=CompletionService(engine=engines, models=rooms),
            knowledge=self.knowledge.service,
            models=rooms,
            remote_models=remote_models,
            speeds=build_speeds(settings, self.engine, files),
            onboarding=OnboardingService(
                store=boxes,
                attempts=attempts,
                code=build_claim_proof(settings, identity, passwords, rescue),
                secrets=AccountSecrets(passwords, rescue),
            ),
            updates=self.updates.service,
        )
        self.clock = ClockWatch(self._follow_clock)
        onlooker = Onlooker(self.presence, self.services.onboarding, self.engine)
        self.upkeep = build_upkeep(settings.socket, certificates, onlooker)

    async def start(self) -> None:
        """Start the parts; nothing waits for the network, the time, or a model."""
        services = self.services
        if self.upkeep is not None:
            await self.upkeep.clear()
        await self.health.prepare()
        await self.database.open()
        await self.clock.start()
        await self.engine.start()
        await services.remote_models.start()
        await services.onboarding.start()
        await services.chat.start(datetime.now(UTC))
        await self.knowledge.start()
        await services.models.start()
        await services.speeds.start()
        await services.box.start()
        await self.updates.start()
        await self.health.start()
        if self.upkeep is not None:
            await self.upkeep.start()

    async def stop(self) -> None:
        """Stop the parts in the opposite order; one that fails does not keep the others."""
        services = self.services
        parts: Sequence[Callable[[], Awaitable[None]]] = (
            *([self.upkeep.stop] if self.upkeep is not None else []),
            self.clock.stop,
            self.health.stop,
            self.updates.stop,
            self.bus.close,
            self.presence.stop,
            services.chat.stop,
            self.knowledge.stop,
            services.speeds.stop,
            services.models.stop,
            self.engine.stop,
            self.database.close,
        )
        for stop in parts:
            try:
                await stop()
            except Exception:  # the boundary of shutting down
                log.exception("part_did_not_stop", part=stop.__qualname__)

    async def _follow_clock(self, before: datetime, step: timedelta) -> None:
        self.health.onlookers.clock_was_set(step)
        moved = await move_expiry(self.database, before, step)
        log.info("expiry_moved", rows=moved)
