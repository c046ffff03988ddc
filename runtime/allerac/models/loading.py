"""Having a model loaded: from which file, with which settings, and not while the box rests."""

import asyncio
from collections.abc import Awaitable, Callable

from allerac.engine.limits import address_space_bytes
from allerac.engine.protocol import Engine, ModelFile
from allerac.errors import Conflict, EngineUnavailable, ModelDamaged
from allerac.hardware.choice import threads_for
from allerac.hardware.machine import Machine
from allerac.hardware.processors import placement_for
from allerac.hardware.profile import Profile

from .service import ModelService

Trial = Callable[[ModelFile], Awaitable[None]]
"""Raises `ModelDamaged` for a file that must not be used, `EngineUnavailable`."""


class ModelLoader:
    """What the engine runs: one model on board, as the tier's profile wants it on this machine."""

    def __init__(
        self,
        *,
        files: ModelService,
        engine: Engine,
        machine: Machine,
        profile: Profile,
        trial: Trial | None = None,
    ) -> None:
        """`trial` loads a new file where it can do no harm, before the engine does."""
        self._files = files
        self._engine = engine
        self._machine = machine
        self._profile = profile
        self._trial = trial
        self._loading = asyncio.Lock()
        self._rest: EngineUnavailable | None = None
        self._context_limit: int | None = None

    @property
    def rests(self) -> bool:
        """Whether nothing new is answered, and no model loaded."""
        return self._rest is not None

    def rest(self, reason: EngineUnavailable | None) -> None:
        """Answer nothing new for this reason; None ends the rest."""
        self._rest = reason

    def require_awake(self) -> None:
        """Raise `EngineUnavailable`, with its reason, while the box rests."""
        if self._rest is not None:
            raise EngineUnavailable(self._rest.message, hint=self._rest.hint)

    async def ensure_loaded(self, model_id: str) -> None:
        """Return when the engine runs `model_id`; also while it is starting again.

        Raises `Conflict` for a model that does not answer, `ModelDamaged`, `EngineUnavailable`.
        """
        status = self._engine.status()
        if status.model_id == model_id and status.state not in {"stopped", "failed"}:
            return
        if self._files.get(model_id).role == "embedding":
            raise Conflict("This model finds passages in documents; it does not answer.")
        async with self._loading:
            file = self._model_file(model_id)
            await self._try_new(file)
            await self._engine.load(file)

    async def unload(self) -> None:
        """Free the memory of the model, once running answers are finished."""
        await self._engine.unload()

    async def let_go_of(self, model_id: str) -> None:
        """Have the engine run `model_id` no longer, if that is what it runs."""
        if self._engine.status().model_id == model_id:
            await self._engine.unload()

    async def limit_context(self, tokens: int | None) -> None:
        """Let conversations use at most `tokens` from now on; None as many as the profile says."""
        self._context_limit = tokens
        model_id = self._engine.status().model_id
        if model_id is not None:
            async with self._loading:
                await self._engine.load(self._model_file(model_id))

    async def _try_new(self, file: ModelFile) -> None:
        """Let a file that was never loaded prove itself; it is refused for good if it cannot."""
        if self._trial is None or not self._files.is_new(file.model_id):
            return
        try:
            await self._trial(file)
        except ModelDamaged as error:
            await self._files.note_trial(file.model_id, damaged=error.message)
            raise
        except EngineUnavailable:
            return  # no fault of the file; the engine will say what is missing
        await self._files.note_trial(file.model_id, damaged=None)

    def _model_file(self, model_id: str) -> ModelFile:
        settings = self._profile.engine
        card = self._files.get(model_id)
        threads = threads_for(self._machine, settings.decode_threads)
        prefill_threads = threads_for(self._machine, settings.prefill_threads)
        placement = placement_for(settings.cpu_pinning, decode=threads, prefill=prefill_threads)
        return ModelFile(
            model_id=model_id,
            path=self._files.installed_path(model_id),
            context_length=min(
                settings.context_length,
                card.context_length,
                self._context_limit or settings.context_length,
            ),
            threads=threads,
            prefill_threads=prefill_threads,
            sequences=settings.sequences,
            kv_type=settings.kv_type,
            prefix_store_bytes=settings.prefix_store_mb * 1_000_000,
            processors=placement.processors,
            in_order=placement.in_order,
            memory_limit_bytes=address_space_bytes(
                self._memory_for_models(), threads=max(threads, prefill_threads)
            ),
        )

    def _memory_for_models(self) -> int:
        """What the system leaves, as the cards judge it; never less than the tier's own budget.

        Where the operator has set the profile of a larger machine, its budget decides.
        """
        budget = self._profile.memory
        left = self._machine.memory_bytes - budget.system_bytes
        return max(left, budget.weights_bytes + budget.kv_bytes)
