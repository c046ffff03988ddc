"""The wing of the documents: what reads them, where they are kept, which model turns them."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from allerac.app.engine import launch_of
from allerac.app.ground import Ground
from allerac.app.hardware import Hardware
from allerac.app.librarian import Librarian
from allerac.assistants.service import AssistantService, KnownModels
from allerac.engine.embedding import EmbeddingSupervisor
from allerac.engine.protocol import ModelFile
from allerac.engine.supervisor import EngineSupervisor
from allerac.errors import AlleracError
from allerac.hardware.choice import threads_for
from allerac.knowledge.blobs import BlobStore
from allerac.knowledge.embedding_model import EmbeddingModel, traits_of
from allerac.knowledge.folders import FolderService
from allerac.knowledge.ingest import LEASE, Desk, Ingest
from allerac.knowledge.pace import ConsideratePace
from allerac.knowledge.reranking import TimedReranker
from allerac.knowledge.retrieval import Retriever
from allerac.knowledge.service import KnowledgeService, Parts
from allerac.knowledge.watch import Takers, WatchedFolder
from allerac.knowledge.word_reading import WordReader
from allerac.models import ModelService
from allerac.settings import Settings
from allerac.storage import Database
from allerac.storage.accounts import AccountStore
from allerac.storage.assistants import AssistantStore
from allerac.storage.ids import new_id
from allerac.storage.knowledge import KnowledgeStore
from allerac.storage.knowledge_folders import FolderStore
from allerac.storage.knowledge_jobs import JobStore
from allerac.storage.memories import MemoryStore
from allerac.storage.passage_words import WordStore
from allerac.storage.traces import TraceStore

INDEXING = "indexing"
"""Why the chats' engine computes with half of its threads: the other model has the rest."""
DEMO_EMBEDDING = "allerac-demo-embedding"
DEMO_FILE = f"{DEMO_EMBEDDING}-q8_0.gguf"
CONTEXT_TOKENS = 1024
"""A passage of 512 tokens with its heading and the model's own words before it."""
MEMORY_BYTES = 4 << 30
"""Address space of the embedding process; the largest model of the catalogue has 0.6 GB."""


class EmbeddingShelf:
    """The tier's embedding model once it is on board, until then the one that ships along."""

    def __init__(self, settings: Settings, hardware: Hardware, models: ModelService) -> None:
        profile = hardware.choice.profile
        self._models = models
        self._wanted = profile.models.embedding
        self._demo = settings.demo_model_dir / DEMO_FILE
        self._threads = threads_for(hardware.machine, profile.engine.prefill_threads)

    def current(self) -> EmbeddingModel | None:
        """Return the model that reads documents now."""
        path, model_id = self._demo, DEMO_EMBEDDING
        if self._wanted is not None:
            with suppress(AlleracError):  # not on board
                path, model_id = self._models.installed_path(self._wanted), self._wanted
        if not path.is_file():
            return None
        file = ModelFile(
            model_id=model_id,
            path=path,
            context_length=CONTEXT_TOKENS,
            threads=self._threads,
            purpose="embedding",
            memory_limit_bytes=MEMORY_BYTES,
        )
        return EmbeddingModel(file, traits_of(model_id))


class RankingShelf:
    """The tier's model that ranks passages, where there is one and it is on board."""

    def __init__(self, hardware: Hardware, models: ModelService) -> None:
        profile = hardware.choice.profile
        self._models = models
        self._wanted = profile.models.reranker
        self._threads = threads_for(hardware.machine, profile.engine.prefill_threads)

    def current(self) -> ModelFile | None:
        """Return it; None where the tier has none or it is not on board."""
        if self._wanted is None:
            return None
        try:
            path = self._models.installed_path(self._wanted)
        except AlleracError:
            return None
        return ModelFile(
            model_id=self._wanted,
            path=path,
            context_length=CONTEXT_TOKENS,
            threads=self._threads,
            purpose="reranker",
            memory_limit_bytes=MEMORY_BYTES,
        )


def build_librarian(
    database: Database, retriever: Retriever, prefill_speed: Callable[[], float | None]
) -> Librarian:
    """Return the chat's library."""
    return Librarian(
        people=AccountStore(database),
        assistants=AssistantStore(database),
        memories=MemoryStore(database),
        files=KnowledgeStore(database),
        traces=TraceStore(database),
        retriever=retriever,
        prefill_speed=prefill_speed,
    )


def build_assistants(
    database: Database, models: KnownModels, *, on_change: Callable[[], None]
) -> AssistantService:
    """Return the service of assistants and memories; `on_change` hears of what is read changing."""
    return AssistantService(
        assistants=AssistantStore(database),
        memories=MemoryStore(database),
        models=models,
        on_change=on_change,
    )


@dataclass(frozen=True, slots=True)
class KnowledgeWing:
    """What the runtime starts, stops and hands on."""

    embedder: EmbeddingSupervisor
    ranker: EmbeddingSupervisor
    retriever: Retriever
    service: KnowledgeService
    folders: FolderService
    pace: ConsideratePace
    watched: WatchedFolder | None

    async def start(self) -> None:
        """Begin to take documents in."""
        await self.service.start()
        if self.watched is not None:
            self.watched.start()

    async def stop(self) -> None:
        """Stop taking in, then the models that read."""
        if self.watched is not None:
            await self.watched.stop()
        await self.service.stop()
        await self.embedder.stop()
        await self.ranker.stop()


def build_knowledge(
    ground: Ground, models: ModelService, engine: EngineSupervisor
) -> KnowledgeWing:
    """Return the service of documents and what belongs to it; `engine` is the one of the chats."""
    settings, database = ground.settings, ground.database
    shelf = EmbeddingShelf(settings, ground.hardware, models)
    embedder = EmbeddingSupervisor(launch=launch_of(settings))
    threads = threads_for(
        ground.hardware.machine, ground.hardware.choice.profile.engine.decode_threads
    )
    pace = ConsideratePace(
        is_busy=lambda: engine.status().active > 0,
        make_room=lambda on: engine.limit_threads(INDEXING, max(1, threads // 2) if on else None),
    )
    files = KnowledgeStore(database)
    jobs = JobStore(database, owner=new_id(), lease=LEASE)
    blobs = BlobStore(settings.data_dir / "blobs")
    drafts = settings.data_dir / "reading"
    words = WordStore(database)
    ranker = EmbeddingSupervisor(launch=launch_of(settings))
    reranker = TimedReranker(ranker, RankingShelf(ground.hardware, models))
    retriever = Retriever(
        database=database, embedder=embedder, models=shelf, words=words, reranker=reranker
    )
    desk = Desk(
        files=files,
        jobs=jobs,
        blobs=blobs,
        embedder=embedder,
        models=shelf,
        pace=pace,
        folder=drafts,
        words=WordReader(words, embedder, shelf),
    )
    ingest = Ingest(desk)
    models.on_change(lambda _: ingest.renew_models())
    parts = Parts(
        traces=TraceStore(database),
        files=files,
        jobs=jobs,
        blobs=blobs,
        ingest=ingest,
        retriever=retriever,
        drafts=drafts,
    )
    service = KnowledgeService(parts)
    takers = Takers(
        known=files.watched,
        take=service.take_watched,
        replace=service.replace_watched,
        drop=service.drop_watched,
    )
    folder = settings.watched_dir
    watched = None if folder is None else WatchedFolder(folder, takers)
    folders = FolderService(FolderStore(database), service)
    return KnowledgeWing(embedder, ranker, retriever, service, folders, pace, watched)
