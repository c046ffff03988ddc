"""The household's models: which one answers, and having it loaded."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Protocol

import structlog

from allerac.engine.limits import address_space_bytes
from allerac.engine.protocol import Engine, ModelFile
from allerac.errors import (
    AlleracError,
    Conflict,
    EngineUnavailable,
    InsufficientDisk,
    ModelDamaged,
    NotFound,
)
from allerac.hardware.choice import ProfileChoice, threads_for
from allerac.hardware.machine import Machine
from allerac.hardware.processors import placement_for

from .card import ANSWER_TOKENS, ModelCard, ModelState, VerifyResult
from .service import ModelService

log = structlog.get_logger()

WARM_PAUSES_SECONDS = (5.0, 15.0, 60.0)
"""Between attempts to load the model at the start of the box, when all else starts too."""


Trial = Callable[[ModelFile], Awaitable[None]]
"""Raises `ModelDamaged` for a file that must not be used, `EngineUnavailable`."""


class Elsewhere(Protocol):
    """Models that are not on this box."""

    def knows(self, model_id: str) -> bool:
        """Tell whether this model is elsewhere and may be asked."""

    def served(self) -> list[tuple[str, int]]:
        """Return ids, and when they were added in seconds since 1970."""


class DefaultModel(Protocol):
    """Where the household's choice is kept."""

    async def load(self) -> str | None:
        """Return the chosen model's id, None when nothing was chosen."""

    async def save(self, model_id: str) -> None:
        """Keep the choice."""


@dataclass(frozen=True, slots=True)
class ServedModel:
    """A model on board; `created` is when its file came, in seconds since 1970."""

    id: str
    created: int


@dataclass(frozen=True, slots=True)
class ModelListing:
    """Everything about models at once; each item is a card with `is_default`.

    `embedding` is the one with which the tier finds passages in documents.
    """

    items: list[dict[str, Any]]
    embedding: dict[str, Any] | None
    default_model_id: str | None
    recommended_model_id: str | None
    demo: bool


class ModelRoom:
    """Files, the default among them, and the engine that runs it."""

    def __init__(
        self,
        *,
        files: ModelService,
        engine: Engine,
        default: DefaultModel,
        machine: Machine,
        choice: ProfileChoice,
        trial: Trial | None = None,
        elsewhere: Elsewhere | None = None,
    ) -> None:
        """`trial` loads a new file where it can do no harm, before the engine does."""
        self._files = files
        self._trial = trial
        self._elsewhere = elsewhere
        self._engine = engine
        self._default = default
        self._machine = machine
        self._profile = choice.profile
        self._loading = asyncio.Lock()
        self._warming: asyncio.Task[None] | None = None
        self._rest: EngineUnavailable | None = None
        self._context_limit: int | None = None
        self._holds_downloads = False
        self._held_downloads: list[str] = []

    async def start(self) -> None:
        """Begin to load the default model; nobody waits for it."""
        await self._files.start()
        await self._go_on(await self._files.held())
        self._warming = asyncio.create_task(self._warm())

    async def stop(self) -> None:
        """Stop what runs in the background."""
        if self._warming is not None:
            self._warming.cancel()
            await asyncio.gather(self._warming, return_exceptions=True)
        await self._files.stop()

    async def listing(self) -> ModelListing:
        """Return what is on board and what this machine could run."""
        default = await self._effective_default()
        cards, embedding = self._files.list(), self._embedding()
        return ModelListing(
            items=[_told(card, default) for card in cards],
            embedding=_told(embedding, default) if embedding else None,
            default_model_id=default,
            recommended_model_id=self._files.recommended_id(),
            demo=any(card.is_demo and card.id == default for card in cards),
        )

    async def get(self, model_id: str) -> dict[str, Any]:
        """Return one card. Raises `NotFound`."""
        return _told(self._files.get(model_id), await self._effective_default())

    def require_known(self, model_id: str) -> None:
        """Raise `NotFound` for a model that the catalogue does not have."""
        if not self._is_elsewhere(model_id):
            self._files.get(model_id)

    def serves(self, model_id: str) -> bool:
        """Tell whether this model can answer: on board and not too large, or elsewhere."""
        return self._is_elsewhere(model_id) or self._files.serves(model_id)

    async def served(self) -> list[ServedModel]:
        """Return the models on board."""
        cards = [card for card in self._files.list() if card.state == "installed"]
        here = [ServedModel(card.id, self._created(card.id)) for card in cards]
        elsewhere = self._elsewhere.served() if self._elsewhere is not None else []
        return here + [ServedModel(*model) for model in elsewhere]

    async def default_model_id(self) -> str:
        """Return the model that answers. Raises `EngineUnavailable` when none is on board."""
        default = await self._effective_default()
        if default is None:
            raise EngineUnavailable(
                "There is no model on this box yet.", hint="Download one under Box → Models."
            )
        return default

    async def ensure_loaded(self, model_id: str) -> None:
        """Return when the engine runs `model_id`; also while it is starting again.

        Raises `EngineUnavailable` while the box rests, `Conflict` for one that does not answer.
        """
        if self._rest is not None:
            raise EngineUnavailable(self._rest.message, hint=self._rest.hint)
        if self._is_elsewhere(model_id):
            return
        status = self._engine.status()
        if status.model_id == model_id and status.state not in {"stopped", "failed"}:
            return
        if self._files.get(model_id).role == "embedding":
            raise Conflict("This model finds passages in documents; it does not answer.")
        async with self._loading:
            file = self._model_file(model_id)
            await self._try_new(file)
            await self._engine.load(file)

    def _is_elsewhere(self, model_id: str) -> bool:
        return self._elsewhere is not None and self._elsewhere.knows(model_id)

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

    def is_greedy(self, model_id: str) -> bool:
        """Tell whether this is the demonstration model, which must not be sampled."""
        with contextlib.suppress(NotFound):
            return self._files.get(model_id).is_demo
        return False

    def answer_tokens(self, model_id: str) -> int:
        """Return how long an answer of this model may become."""
        with contextlib.suppress(NotFound):
            return self._files.get(model_id).answer_tokens
        return ANSWER_TOKENS

    async def set_default(self, model_id: str) -> None:
        """Answer with this model from now on, once it has loaded; otherwise all stays as it was."""
        await self.ensure_loaded(model_id)
        await self._default.save(model_id)

    async def begin(self, model_id: str | None, *, download: bool) -> None:
        """Follow the wizard's choice: fetch the model, and the one that finds in documents."""
        if model_id is None or not download:
            return
        embedding = self._embedding()
        for wanted in [model_id, *([embedding.id] if embedding else [])]:
            try:
                await self._files.download(wanted)
            except AlleracError as error:
                log.warning("first_download_not_begun", model=wanted, reason=error.code)

    @property
    def rests(self) -> bool:
        """Whether nothing new is answered, and no model loaded."""
        return self._rest is not None

    def rest(self, reason: EngineUnavailable | None) -> None:
        """Answer nothing new for this reason; None ends the rest."""
        self._rest = reason

    async def put_aside(self) -> None:
        """Free the memory of the model, once running answers are finished."""
        await self._engine.unload()

    async def take_up(self) -> None:
        """Have the household's model loaded again."""
        await self.ensure_loaded(await self.default_model_id())

    async def limit_context(self, tokens: int | None) -> None:
        """Let conversations use at most `tokens` from now on; None as many as the profile says."""
        self._context_limit = tokens
        model_id = self._engine.status().model_id
        if model_id is not None:
            async with self._loading:
                await self._engine.load(self._model_file(model_id))

    async def hold_downloads(self) -> None:
        """Pause what is on its way and begin nothing: the disk is short."""
        if self._holds_downloads:
            return
        self._holds_downloads = True
        under_way = [card.id for card in self.in_state("downloading")]
        self._held_downloads = list(dict.fromkeys([*self._held_downloads, *under_way]))
        for model_id in under_way:
            await self._files.pause(model_id)
        await self._files.note_held(self._held_downloads)

    async def release_downloads(self) -> None:
        """Go on with what was paused for want of room."""
        self._holds_downloads = False
        await self._go_on(self._held_downloads)

    async def _go_on(self, held: Sequence[str]) -> None:
        """Go on with these downloads; those for which there is no room yet are still held."""
        waiting = []
        for model_id in held:
            try:
                await self._files.resume(model_id)
            except InsufficientDisk:
                waiting.append(model_id)
            except AlleracError as error:
                log.info("held_download_given_up", model=model_id, reason=error.code)
        self._held_downloads = waiting
        if held:
            await self._files.note_held(waiting)

    async def drop_unfinished(self) -> None:
        """Delete what has arrived of downloads that were paused or failed."""
        for card in self.in_state("paused", "failed"):
            await self._files.cancel(card.id)

    def in_state(self, *states: ModelState) -> list[ModelCard]:
        """Return the models in one of these states."""
        return [card for card in self._all() if card.state in states]

    async def download(self, model_id: str) -> None:
        """Begin or go on with a download. Raises `InsufficientDisk` while they are held."""
        self._require_room()
        await self._files.download(model_id)

    async def pause(self, model_id: str) -> None:
        """Pause a download."""
        await self._files.pause(model_id)

    async def resume(self, model_id: str) -> None:
        """Go on with a paused download. Raises `InsufficientDisk` while they are held."""
        self._require_room()
        await self._files.resume(model_id)

    async def cancel(self, model_id: str) -> None:
        """End a download and drop what has arrived."""
        await self._files.cancel(model_id)

    async def verify(self, model_id: str) -> VerifyResult:
        """Read the file again and compare it with its pin."""
        return await self._files.verify(model_id)

    async def remove(self, model_id: str) -> None:
        """Delete a model; the engine lets go of it first."""
        if self._engine.status().model_id == model_id and not self._files.get(model_id).is_demo:
            await self._engine.unload()
        await self._files.remove(model_id)

    async def import_file(self, path: Path, *, title: str | None) -> ModelCard:
        """Take in a model from a file on the box."""
        return await self._files.import_file(path, title=title)

    def _all(self) -> list[ModelCard]:
        return [*self._files.list(), *self._files.list("embedding")]

    def _embedding(self) -> ModelCard | None:
        wanted = self._profile.models.embedding
        return next((card for card in self._files.list("embedding") if card.id == wanted), None)

    async def _effective_default(self) -> str | None:
        chosen = await self._default.load()
        on_board = [card for card in self._files.list() if card.state == "installed"]
        ids = {card.id for card in on_board}
        if chosen in ids:
            return chosen
        demo = [card.id for card in on_board if card.is_demo]
        rest = [card.id for card in on_board if not card.is_demo]
        return next(iter([*rest, *demo]), None)

    async def _warm(self) -> None:
        """Load the default model; what lacked memory or time may work a little later."""
        for pause_seconds in (*WARM_PAUSES_SECONDS, None):
            try:
                await self.ensure_loaded(await self.default_model_id())
            except AlleracError as error:
                log.warning("default_model_not_loaded", reason=error.message)
                if pause_seconds is None or not isinstance(error, EngineUnavailable):
                    return
                await asyncio.sleep(pause_seconds)
            else:
                return

    def _require_room(self) -> None:
        if self._holds_downloads:
            raise InsufficientDisk(
                "The disk is nearly full, so downloads wait.",
                needed_bytes=0,
                available_bytes=0,
            )

    def _created(self, model_id: str) -> int:
        return int(self._files.installed_path(model_id).stat().st_mtime)

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


def _told(card: ModelCard, default: str | None) -> dict[str, Any]:
    facts = {field.name: getattr(card, field.name) for field in fields(card)}
    return {**facts, "is_default": card.id == default}
