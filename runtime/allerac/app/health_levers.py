"""What the box may do to itself: the levers of its reactions, and the acts of its fixes."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Protocol

import structlog

from allerac.app.hardware import Hardware
from allerac.engine.supervisor import EngineSupervisor
from allerac.errors import AlleracError, EngineUnavailable
from allerac.hardware.choice import threads_for
from allerac.health import Act, Finding, Lever, Reserve
from allerac.models import ModelRoom
from allerac.updates import UpdateService

log = structlog.get_logger()

SHORT_CONTEXT_SHARE: Final = 4
TOO_HOT = EngineUnavailable(
    "The box is too hot and rests.", hint="Wait until it has cooled down; then ask again."
)
NO_MEMORY = EngineUnavailable(
    "There is not enough memory to answer now.", hint="Close what else runs, or wait a little."
)

HEAT: Final = "heat"
DISK: Final = "disk"

Step = Callable[[], Awaitable[None]]


class Indexing(Protocol):
    """Takes documents in, unless it is held; see `allerac.knowledge.pace`."""

    def hold(self, reason: str) -> None:
        """Begin no more work until each reason that was given is taken back."""

    def release(self, reason: str) -> None:
        """Take a reason back."""


class Background:
    """Acts that take their time, while the next sample must not wait for them."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, name: str, step: Step) -> None:
        """Do it; what goes wrong is logged."""
        task = asyncio.create_task(self._watch(name, step))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """End what is still going on."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _watch(self, name: str, step: Step) -> None:
        try:
            await step()
        except AlleracError as error:
            log.warning("reaction_failed", reaction=name, reason=error.message)


class Rests:
    """Why nothing new is answered; each reason is taken back by itself."""

    def __init__(self, tell: Callable[[EngineUnavailable | None], None]) -> None:
        """`tell` is given the newest reason, None once there is none."""
        self._tell = tell
        self._reasons: list[EngineUnavailable] = []

    def begin(self, reason: EngineUnavailable) -> None:
        """Rest for this reason."""
        self._reasons = [*(one for one in self._reasons if one is not reason), reason]
        self._tell(reason)

    def end(self, reason: EngineUnavailable) -> None:
        """Rest for this reason no longer."""
        self._reasons = [one for one in self._reasons if one is not reason]
        self._tell(self._reasons[-1] if self._reasons else None)


class Levers:
    """Holds model, engine, documents and reserve; `all` names each lever as its reaction does."""

    def __init__(
        self,
        *,
        models: ModelRoom,
        engine: EngineSupervisor,
        indexing: Indexing,
        reserve: Reserve,
        background: Background,
        hardware: Hardware,
    ) -> None:
        self._models = models
        self._rests = Rests(models.rest)
        self._changing = asyncio.Lock()
        self._engine = engine
        self._indexing = indexing
        self._reserve = reserve
        self._background = background
        settings = hardware.choice.profile.engine
        self._few_threads = max(1, threads_for(hardware.machine, settings.decode_threads) // 2)
        self._short_context = settings.context_length // SHORT_CONTEXT_SHARE

    def all(self) -> Mapping[str, Lever]:
        """Return the levers by the code of their reaction."""
        models = self._models
        reserve = Lever(
            lambda: asyncio.to_thread(self._reserve.release),
            lambda: asyncio.to_thread(self._reserve.keep),
        )
        return {
            "fewer_threads": Lever(self._slow_down, self._speed_up),
            "pause_answers": Lever(self._pause, self._go_on),
            "smaller_context": Lever(
                self._begin("smaller_context", lambda: models.limit_context(self._short_context)),
                self._begin("smaller_context", lambda: models.limit_context(None)),
            ),
            "unload_model": Lever(self._put_aside, self._take_up),
            "hold_downloads": Lever(self._save_room, self._use_room),
            **({"release_reserve": reserve} if self._reserve.is_wanted else {}),
            "start_engine": Lever(self._begin("start_engine", models.take_up), _nothing),
        }

    def _begin(self, name: str, step: Step) -> Step:
        """Return what has `step` done after all that was begun before, while nobody waits."""

        async def in_turn() -> None:
            async with self._changing:
                await step()

        async def begin() -> None:
            self._background.begin(name, in_turn)

        return begin

    async def _slow_down(self) -> None:
        """Leave the processor to people: documents can wait until it is cooler."""
        self._engine.limit_threads(HEAT, self._few_threads)
        self._indexing.hold(HEAT)

    async def _speed_up(self) -> None:
        self._engine.limit_threads(HEAT, None)
        self._indexing.release(HEAT)

    async def _save_room(self) -> None:
        self._indexing.hold(DISK)
        await self._models.hold_downloads()

    async def _use_room(self) -> None:
        self._indexing.release(DISK)
        await self._models.release_downloads()

    async def _pause(self) -> None:
        self._rests.begin(TOO_HOT)
        self._engine.limit_threads(HEAT, 1)

    async def _go_on(self) -> None:
        """Answer again; the heat that is left still asks for few threads.

        A model that memory came back for in the meantime was not loaded while the box rested.
        """
        self._rests.end(TOO_HOT)
        self._engine.limit_threads(HEAT, self._few_threads)
        await self._begin("pause_answers", self._models.take_up)()

    async def _put_aside(self) -> None:
        self._rests.begin(NO_MEMORY)
        await self._begin("unload_model", self._models.put_aside)()

    async def _take_up(self) -> None:
        self._rests.end(NO_MEMORY)
        await self._begin("unload_model", self._models.take_up)()


async def _nothing() -> None:
    """Let go of what needs no letting go."""


def acts_of(models: ModelRoom, updates: UpdateService) -> Mapping[str, Act]:
    """Return what fixes may do, by name."""

    async def restart_engine(_: Finding) -> None:
        await models.put_aside()
        await models.take_up()

    async def drop_downloads(_: Finding) -> None:
        await models.drop_unfinished()

    async def fetch_model(finding: Finding) -> None:
        await models.download(finding.subject)

    async def check_updates(_: Finding) -> None:
        await updates.check()

    return {
        "restart_engine": restart_engine,
        "drop_downloads": drop_downloads,
        "fetch_model": fetch_model,
        "check_updates": check_updates,
    }
