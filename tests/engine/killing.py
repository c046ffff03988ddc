"""Ends of the engine's process, and waiting for what follows."""

import asyncio
import os
import signal
from collections.abc import Callable

from allerac.engine.supervisor import EngineSupervisor
from tests.engine.asking import RESTART_SECONDS


def kill(engine: EngineSupervisor, signal_number: int = signal.SIGKILL) -> int:
    pid = engine.status().pid
    assert pid is not None
    os.kill(pid, signal_number)
    return pid


async def until(claim: Callable[[], bool], seconds: float = RESTART_SECONDS) -> None:
    """Wait for `claim`; fails the test after `seconds`."""
    async with asyncio.timeout(seconds):
        while not claim():  # noqa: ASYNC110 - a process has no event to wait for
            await asyncio.sleep(0.01)
