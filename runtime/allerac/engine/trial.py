"""The first load of a file that nobody knows yet, in a process that may die of it.

A header can be right and the file still take llama.cpp down: it aborts where it meets what it never
expected. So a new file is loaded, and one token computed, in a limited process of its own, while
the model that answers goes on answering.
"""

import asyncio
from dataclasses import replace
from typing import Final

from allerac.engine.gguf import read_header
from allerac.engine.keeper import EngineKeeper
from allerac.engine.process import Launch, spawn
from allerac.engine.protocol import ModelFile
from allerac.engine.wire import ServingReport
from allerac.errors import ModelDamaged

TRIAL_CONTEXT: Final = 512
TRIAL_SECONDS: Final = 300.0  # the largest files, from a slow disk
_HANG_SECONDS: Final = 10.0


class _Nobody:
    """Watches a process that nobody asks anything."""

    def on_report(self, report: ServingReport) -> None:
        """Nothing was asked."""

    def on_lost(self) -> None:
        """It has done what it was for."""

    def on_ready(self) -> None:
        """Nobody waits."""

    def on_failed(self) -> None:
        """Nobody waits."""


async def try_model(
    model: ModelFile, *, launch: Launch = spawn, seconds_limit: float = TRIAL_SECONDS
) -> None:
    """Load `model` in a throw-away process and compute one token; returns when it is gone.

    Raises `ModelDamaged` for a file that cannot be used, which includes one that takes the process
    down or more than `seconds_limit`, and `EngineUnavailable` where memory or the process itself
    was the reason.
    """
    await asyncio.to_thread(read_header, model.path)
    modest = replace(
        model,
        context_length=min(model.context_length, TRIAL_CONTEXT),
        cache_tokens=None,
        sequences=1,
        prefix_store_bytes=0,
    )
    keeper = EngineKeeper(_Nobody(), launch=launch, hang_seconds=_HANG_SECONDS)
    try:
        async with asyncio.timeout(seconds_limit):
            await keeper.begin(modest)
    except TimeoutError as err:
        raise ModelDamaged(
            "This model takes too long to load.", hint="Choose another model."
        ) from err
    finally:
        await keeper.halt()
