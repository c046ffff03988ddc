"""The engine process as it embeds or ranks: loads one model, answers one command after another."""

from collections.abc import Iterator
from typing import TypeVar

from allerac.engine.channel import Channel
from allerac.engine.embedding_llama import EmbeddingContext, RankingContext, Vector
from allerac.engine.gguf import read_header
from allerac.engine.limits import address_space_bytes
from allerac.engine.llama import LoadError, Log, Model
from allerac.engine.movement import Movement
from allerac.engine.protocol import ModelFile
from allerac.engine.service import Pulse
from allerac.engine.wire import (
    Command,
    Embed,
    Embedded,
    Loaded,
    Measure,
    Measured,
    Rank,
    Ranked,
)
from allerac.errors import EngineUnavailable, ModelDamaged

Result = TypeVar("Result", Vector, float)


class EmbeddingService:
    """A loaded model. Raises `ModelDamaged` or `EngineUnavailable` when it cannot be loaded."""

    def __init__(self, file: ModelFile, channel: Channel, pulse: Pulse) -> None:
        self._channel = channel
        self._steps = 0
        self._is_idle = True
        self._model, self._context = _load(file)
        pulse.is_alive = Movement(is_idle=lambda: self._is_idle, steps=lambda: self._steps)

    def serve(self, commands: Iterator[Command]) -> None:
        """Answer until the runtime closes its end."""
        self._channel.send(Loaded(self._context.length))
        for command in commands:
            self._is_idle = False
            self._channel.send(self._answer(command))
            self._is_idle = True
        self._context.free()
        self._model.free()

    def _answer(self, command: Command) -> Embedded | Measured | Ranked:
        match command, self._context:
            case Embed(request_id, texts), EmbeddingContext() as context:
                vectors = [self._given(context.embed(text)) for text in texts]
                return Embedded(request_id, b"".join(vector.tobytes() for vector in vectors))
            case Rank(request_id, question, texts), RankingContext() as context:
                scores = (self._given(context.rank(question, text)) for text in texts)
                return Ranked(request_id, tuple(scores))
            case Measure(request_id, texts), _:
                return Measured(request_id, tuple(map(self._count, texts)))
            case _:
                raise ValueError("this process does something else")

    def _given(self, result: Result | None) -> Result:
        self._steps += 1
        if result is None:
            raise ValueError("the model gives no number")
        return result

    def _count(self, text: str) -> int:
        self._steps += 1
        return len(self._context.tokens(text))


def _load(file: ModelFile) -> tuple[Model, EmbeddingContext | RankingContext]:
    """Check, load, and compute one result, so that broken weights show here."""
    header = read_header(file.path)
    needed = address_space_bytes(header.tensor_bytes, threads=file.threads)
    if file.memory_limit_bytes is not None and needed > file.memory_limit_bytes:
        raise _no_memory()
    log = Log()
    try:
        model = Model(file.path, log)
    except LoadError as err:
        raise _unusable() from err
    length = min(file.context_length, model.trained_context_length)
    try:
        kind = RankingContext if file.purpose == "reranker" else EmbeddingContext
        context = kind(model, log, length=length, threads=file.threads)
    except MemoryError as err:
        raise _no_memory() from err
    except LoadError as err:
        raise _unusable() from err
    if not context.works():
        raise _unusable()
    return model, context


def _unusable() -> ModelDamaged:
    return ModelDamaged(
        "This model cannot read documents.",
        hint="The file may be damaged. Download it again, or choose another model.",
    )


def _no_memory() -> EngineUnavailable:
    return EngineUnavailable(
        "There is not enough memory for the model that reads documents.",
        hint="Choose a smaller model to chat with.",
    )
