"""Watches the engine's answers go by: counted for the metrics, timed for the book of speeds."""

from collections.abc import Callable

from allerac.engine.protocol import Delta, Finished
from allerac.engine.wire import Step
from allerac.errors import AlleracError

from .metrics import Metrics
from .speed import SpeedBook


class AnswerWatch:
    """`on_step` is given to the engine; `model_id` tells which model it runs."""

    def __init__(
        self, metrics: Metrics, speeds: SpeedBook, model_id: Callable[[], str | None]
    ) -> None:
        self.metrics = metrics
        self.speeds = speeds
        self._model_id = model_id
        self._in_company: set[str] = set()

    def on_step(self, step: Step) -> None:
        """Look at everything that one step of the engine brought."""
        writing = {request_id for request_id, event in step.events if isinstance(event, Delta)}
        if len(writing) > 1:
            self._in_company |= writing
        for request_id, event in step.events:
            if isinstance(event, Finished):
                self._count(request_id, event)
            elif isinstance(event, AlleracError):
                self._in_company.discard(request_id)
                self.metrics.failure(event.code)

    def _count(self, request_id: str, finished: Finished) -> None:
        self.metrics.answer(finished)
        model_id, usage = self._model_id(), finished.usage
        alone = request_id not in self._in_company
        self._in_company.discard(request_id)
        if alone and model_id is not None and usage.tokens_per_second is not None:
            self.speeds.note(model_id, usage.completion_tokens, usage.tokens_per_second)
