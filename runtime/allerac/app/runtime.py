"""Everything that runs, in the order in which it starts."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta

import structlog

from allerac.accounts import Passwords
from allerac.api.services import Services
from allerac.app.accounts import build_accounts, build_onboarding
from allerac.app.appliance import (
    Onlooker,
    build_birth_offer,
    build_box,
    build_ssh,
    build_upkeep,
)
from allerac.app.engine import build_speeds, launch_of
from allerac.app.ground import Ground, lay_ground
from allerac.app.health import build_health
from allerac.app.health_onlookers import Rooms
from allerac.app.knowledge import build_assistants, build_knowledge, build_librarian
from allerac.app.meaning import build_meaning
from allerac.app.models import ModelWing, build_models
from allerac.app.network import NetworkPresence
from allerac.app.support import build_support
from allerac.app.updates import build_updates
from allerac.appliance.clock import ClockWatch
from allerac.chat import ChatService, CompletionService, TrialService
from allerac.chat.pictures import PictureService
from allerac.engine.supervisor import EngineSupervisor
from allerac.events import EventLogs
from allerac.health import AnswerWatch, Metrics, SpeedBook
from allerac.settings import Settings
from allerac.storage.clock import move_expiry
from allerac.storage.conversations import ConversationStore
from allerac.storage.pictures import PictureStore
from allerac.updates import SystemBus

log = structlog.get_logger()


class Runtime:
    """Everything that runs, in the order in which it starts."""

    def __init__(
        self, settings: Settings, *, port: int, passwords: Passwords | None = None
    ) -> None:
        ground = lay_ground(settings, passwords or Passwords())
        self.database = ground.database
        self.bus = SystemBus()
        answers = AnswerWatch(Metrics(), SpeedBook(), lambda: self.engine.status().model_id)
        self.engine = EngineSupervisor(launch=launch_of(settings), on_step=answers.on_step)
        host = settings.host if settings.socket is None else None
        self.presence = NetworkPresence(port=port, host=host, announce=settings.announce)
        models = build_models(ground, self.engine)
        self.knowledge = build_knowledge(ground, models.files, self.engine)
        pace = self.knowledge.pace
        self.updates = build_updates(settings, self.database, self.bus, self.engine, pace)
        self.ssh = build_ssh(ground)
        rooms = Rooms(
            engine=self.engine,
            models=models.room,
            updates=self.updates.service,
            presence=self.presence,
            indexing=pace,
            ssh=self.ssh,
        )
        self.health = build_health(ground, rooms, answers)
        self.services = self._services(ground, models, port)
        self.clock = ClockWatch(self._follow_clock)
        onlooker = Onlooker(self.presence, self.services.onboarding, self.engine)
        self.upkeep = build_upkeep(settings.socket, ground.certificates, onlooker)

    def _services(self, ground: Ground, models: ModelWing, port: int) -> Services:
        settings = ground.settings
        librarian = build_librarian(
            self.database,
            self.knowledge.retriever,
            lambda: self.engine.status().speed.prefill_tokens_per_second,
        )
        return Services(
            accounts=build_accounts(
                ground,
                before_removal=self._forget,
                on_removed=self.engine.forget,
            ),
            alerts=self.health.alerts,
            assistants=build_assistants(
                self.database,
                models.room,
                on_change=lambda: self.services.chat.renew_beginnings(),
            ),
            birth=build_birth_offer(ground),
            box=build_box(ground, self.engine, self.presence, port),
            chat=ChatService(
                store=ConversationStore(self.database),
                engine=models.engines,
                models=models.room,
                logs=EventLogs(),
                library=librarian,
                meaning=build_meaning(ground, models.files, self.knowledge),
                may_warm_up=self._may_warm_up,
            ),
            completions=CompletionService(engine=models.engines, models=models.room),
            health=self.health.service,
            knowledge=self.knowledge.service,
            folders=self.knowledge.folders,
            metrics=self.health.metrics,
            models=models.room,
            onboarding=build_onboarding(ground),
            pictures=PictureService(PictureStore(self.database), settings.data_dir / "pictures"),
            remote_models=models.elsewhere,
            speeds=build_speeds(settings, self.engine, models.files),
            ssh=self.ssh,
            support=build_support(ground, self.health.service),
            trials=TrialService(engine=models.engines, models=models.room, library=librarian),
            updates=self.updates.service,
        )

    async def _forget(self, person_id: str) -> None:
        """Delete the files of somebody who leaves; the rows go with the person."""
        await self.knowledge.service.forget(person_id)
        await self.services.pictures.forget(person_id)

    def _may_warm_up(self) -> bool:
        """Not while the box is hot or short of room."""
        return self.engine.thread_limit is None and not self.knowledge.pace.held_for()

    async def start(self) -> None:
        """Start the parts; nothing waits for the network, the time, or a model."""
        services = self.services
        if self.upkeep is not None:
            await self.upkeep.clear()
        await self.health.prepare()
        await self.database.open()
        await self.clock.start()
        self.engine.keep_only([person.id for person in await services.accounts.list_people()])
        await self.engine.start()
        await services.remote_models.start()
        await services.onboarding.start()
        await services.chat.start(datetime.now(UTC))
        await services.pictures.start()
        await self.knowledge.start()
        await services.models.start()
        await services.speeds.start()
        await services.box.start()
        await self.ssh.start()
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
            self.ssh.stop,
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
