"""The household's models: which one answers, and having it loaded."""

import asyncio
import contextlib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Protocol

import structlog

from allerac.engine.protocol import Engine
from allerac.errors import AlleracError, EngineUnavailable, NotFound
from allerac.hardware.choice import ProfileChoice
from allerac.hardware.machine import Machine

from .card import ANSWER_TOKENS, ModelCard, ModelState, VerifyResult
from .held import HeldDownloads
from .loading import ModelLoader, Trial
from .service import ModelService

log = structlog.get_logger()

WARM_PAUSES_SECONDS = (5.0, 15.0, 60.0)
"""Between attempts to load the model at the start of the box, when all else starts too."""


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
        self._held = HeldDownloads(files)
        self._elsewhere = elsewhere
        self._default = default
        self._profile = choice.profile
        self._loader = ModelLoader(
            files=files, engine=engine, machine=machine, profile=choice.profile, trial=trial
        )
        self._warming: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to load the default model; nobody waits for it."""
        await self._files.start()
        await self._held.start()
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
        self._loader.require_awake()
        if not self._is_elsewhere(model_id):
            await self._loader.ensure_loaded(model_id)

    def _is_elsewhere(self, model_id: str) -> bool:
        return self._elsewhere is not None and self._elsewhere.knows(model_id)

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
        return self._loader.rests

    def rest(self, reason: EngineUnavailable | None) -> None:
        """Answer nothing new for this reason; None ends the rest."""
        self._loader.rest(reason)

    async def put_aside(self) -> None:
        """Free the memory of the model, once running answers are finished."""
        await self._loader.unload()

    async def take_up(self) -> None:
        """Have the household's model loaded again."""
        await self.ensure_loaded(await self.default_model_id())

    async def limit_context(self, tokens: int | None) -> None:
        """Let conversations use at most `tokens` from now on; None as many as the profile says."""
        await self._loader.limit_context(tokens)

    async def hold_downloads(self) -> None:
        """Pause what is on its way and begin nothing: the disk is short."""
        await self._held.hold(card.id for card in self.in_state("downloading"))

    async def release_downloads(self) -> None:
        """Go on with what was paused for want of room."""
        await self._held.release()

    async def drop_unfinished(self) -> None:
        """Delete what has arrived of downloads that were paused or failed."""
        for card in self.in_state("paused", "failed"):
            await self._files.cancel(card.id)

    def in_state(self, *states: ModelState) -> list[ModelCard]:
        """Return the models in one of these states."""
        return [card for card in self._all() if card.state in states]

    async def download(self, model_id: str) -> None:
        """Begin or go on with a download. Raises `InsufficientDisk` while they are held."""
        self._held.require_room()
        await self._files.download(model_id)

    async def pause(self, model_id: str) -> None:
        """Pause a download."""
        await self._files.pause(model_id)

    async def resume(self, model_id: str) -> None:
        """Go on with a paused download. Raises `InsufficientDisk` while they are held."""
        self._held.require_room()
        await self._files.resume(model_id)

    async def cancel(self, model_id: str) -> None:
        """End a download and drop what has arrived."""
        await self._files.cancel(model_id)

    async def verify(self, model_id: str) -> VerifyResult:
        """Read the file again and compare it with its pin."""
        return await self._files.verify(model_id)

    async def remove(self, model_id: str) -> None:
        """Delete a model; the engine lets go of it first."""
        if not self._files.get(model_id).is_demo:
            await self._loader.let_go_of(model_id)
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

    def _created(self, model_id: str) -> int:
        return int(self._files.installed_path(model_id).stat().st_mtime)


def _told(card: ModelCard, default: str | None) -> dict[str, Any]:
    facts = {field.name: getattr(card, field.name) for field in fields(card)}
    return {**facts, "is_default": card.id == default}
