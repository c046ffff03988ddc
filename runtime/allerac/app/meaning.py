"""What reads the chat's messages: the model that reads the documents, at the same pace."""

from allerac.app.ground import Ground
from allerac.app.knowledge import EmbeddingShelf, KnowledgeWing
from allerac.chat.meaning import Meaning
from allerac.engine.embedding import Embedder
from allerac.errors import EngineUnavailable
from allerac.knowledge.embedding_model import EmbeddingModel, EmbeddingModels
from allerac.models import ModelService
from allerac.storage.message_reading import MessageVectors
from allerac.storage.message_vectors import Near


class MessageReader:
    """Implements `allerac.chat.meaning.Reader`."""

    def __init__(self, embedder: Embedder, models: EmbeddingModels) -> None:
        self._embedder = embedder
        self._models = models

    def model_id(self) -> str | None:
        """See `Reader.model_id`."""
        model = self._models.current()
        return None if model is None else model.id

    async def read(self, texts: list[str]) -> list[bytes]:
        """See `Reader.read`."""
        model = await self._loaded()
        return await self._embedder.embed([f"{model.traits.passage_prefix}{t}" for t in texts])

    async def near(self, query: str) -> Near:
        """See `Reader.near`."""
        model = await self._loaded()
        (vector,) = await self._embedder.embed([f"{model.traits.query_prefix}{query}"])
        return Near(model.id, vector, model.traits.floor, model.traits.is_centred)

    async def _loaded(self) -> EmbeddingModel:
        model = self._models.current()
        if model is None:
            raise EngineUnavailable("There is no model on board that reads.")
        await self._embedder.load(model.file)
        return model


def build_meaning(ground: Ground, models: ModelService, knowledge: KnowledgeWing) -> Meaning:
    """Return what finds conversations by meaning."""
    shelf = EmbeddingShelf(ground.settings, ground.hardware, models)
    reader = MessageReader(knowledge.embedder, shelf)
    return Meaning(vectors=MessageVectors(ground.database), reader=reader, pace=knowledge.pace)
