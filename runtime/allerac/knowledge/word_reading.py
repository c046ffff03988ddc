"""Gives every word of the documents a vector, once there is nothing else to do."""

from typing import Final

from allerac.engine.embedding import Embedder
from allerac.storage.passage_words import WordStore

from .embedding_model import EmbeddingModels
from .words import LITTLE

AT_ONCE: Final = 16
"""A question that is asked meanwhile waits for as many words."""


class WordReader:
    """Goes through all words from the beginning whenever documents came or went."""

    def __init__(self, store: WordStore, embedder: Embedder, models: EmbeddingModels) -> None:
        self._store = store
        self._embedder = embedder
        self._models = models
        self._after: str | None = ""

    def begin_again(self) -> None:
        """Documents came or went."""
        self._after = ""

    async def read_some(self) -> bool:
        """Read a few words; False once all have a vector, and those that are gone have none.

        Raises `EngineUnavailable`, `ModelDamaged`.
        """
        model = self._models.current()
        if model is None or self._after is None:
            return False
        found = await self._store.missing(model.id, self._after, AT_ONCE)
        self._after = found.after
        if found.after is None:
            await self._store.forget_unused(model.id)
            return False
        telling = [word for word in found.words if word not in LITTLE]
        if telling:
            await self._embedder.load(model.file)
            prefix = model.traits.passage_prefix
            vectors = await self._embedder.embed([f"{prefix}{word}" for word in telling])
            await self._store.keep(model.id, dict(zip(telling, vectors, strict=True)))
        return True
