"""What messages mean: read while nobody waits, and asked for when somebody searches."""

import asyncio
import re
from typing import Final, Protocol

import structlog

from allerac.background import BackgroundTask
from allerac.errors import AlleracError
from allerac.storage.message_reading import MessageVectors, Piece, Unread
from allerac.storage.message_vectors import Near

log = structlog.get_logger()

PIECE_CHARACTERS: Final = 300
"""Two or three sentences: long enough to mean something, short enough to be shown."""
PIECES: Final = 60
"""Of a message that is longer only the beginning is found by meaning."""
READ_AT_ONCE: Final = 4
MESSAGES_AT_ONCE: Final = 16
LOOK_SECONDS: Final = 300.0
"""Another model may have come on board, a deleted conversation back."""
RETRY_SECONDS: Final = 30.0
PATIENCE_SECONDS: Final = 1.5
"""Whoever searches shall not wait for a model that is being loaded."""
LEAST_LETTERS: Final = 3

_SENTENCE: Final = re.compile(r"[^\n.!?]*(?:[.!?]+(?=\s|$)|[.!?]+|\n|$)\s*")


class Reader(Protocol):
    """Turns texts into vectors. Raises `EngineUnavailable` or `ModelDamaged`."""

    def model_id(self) -> str | None:
        """Return the id of the model that reads now; None when none is on board."""

    async def read(self, texts: list[str]) -> list[bytes]:
        """Return a vector for each text."""

    async def near(self, query: str) -> Near:
        """Return what is to be searched for."""


class Pace(Protocol):
    """Keeps the reading out of the way of people."""

    async def rest(self, worked_seconds: float) -> None:
        """Return when the next bit of work may begin, the last having taken `worked_seconds`."""


class Meaning:
    """Reads every message once. What is cut off is begun again with the message it was at."""

    def __init__(self, *, vectors: MessageVectors, reader: Reader, pace: Pace) -> None:
        self._vectors = vectors
        self._reader = reader
        self._pace = pace
        self._background = BackgroundTask(self._run, name="meaning")

    def start(self) -> None:
        """Begin to read."""
        self._background.start()

    async def stop(self) -> None:
        """Stop where it is."""
        await self._background.stop()

    def wake(self) -> None:
        """There may be something to read."""
        self._background.wake()

    async def near(self, query: str) -> Near | None:
        """Return what `query` means; None where words alone can be searched now."""
        if self._reader.model_id() is None or not re.search(rf"\w{{{LEAST_LETTERS}}}", query):
            return None
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await self._reader.near(query)
        except (TimeoutError, AlleracError) as error:
            log.info("searched_by_words_only", reason=type(error).__name__)
            return None

    async def _run(self) -> None:
        while True:
            await self._pace.rest(0.0)
            patience = LOOK_SECONDS
            try:
                if await self._read_some():
                    continue
            except AlleracError as error:
                log.warning("messages_not_read", reason=error.code)
                patience = RETRY_SECONDS
            except Exception:  # the boundary of a background task
                log.exception("reading_messages_stumbled")
                patience = RETRY_SECONDS
            await self._background.wait(patience)

    async def _read_some(self) -> bool:
        """Read a few messages; whether there were any."""
        model_id = self._reader.model_id()
        if model_id is None:
            return False
        unread = await self._vectors.unread(model_id, MESSAGES_AT_ONCE)
        for message in unread:
            await self._vectors.put(message, model_id, await self._pieces(message))
        return bool(unread)

    async def _pieces(self, message: Unread) -> list[Piece]:
        places = pieces_of(message.content)
        vectors: list[bytes] = []
        loop = asyncio.get_running_loop()
        while len(vectors) < len(places):
            some = places[len(vectors) : len(vectors) + READ_AT_ONCE]
            began = loop.time()
            vectors += await self._reader.read([message.content[a:b] for a, b in some])
            await self._pace.rest(loop.time() - began)
        return [Piece(a, b - a, vector) for (a, b), vector in zip(places, vectors, strict=True)]


def pieces_of(content: str) -> list[tuple[int, int]]:
    """Return where a text is cut: whole sentences while they are short; one piece at least."""
    cuts: list[tuple[int, int]] = []
    for sentence in _SENTENCE.finditer(content):
        for start in range(sentence.start(), sentence.end(), PIECE_CHARACTERS):
            end = min(start + PIECE_CHARACTERS, sentence.end())
            if not cuts or end - cuts[-1][0] > PIECE_CHARACTERS:
                cuts.append((start, end))
            else:
                cuts[-1] = (cuts[-1][0], end)
    telling = [(start, end) for start, end in cuts if re.search(r"\w", content[start:end])]
    return (telling or [(0, min(len(content), PIECE_CHARACTERS))])[:PIECES]
