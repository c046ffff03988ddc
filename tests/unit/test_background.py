"""Work in the background is woken, waits no longer than it must, and stops where it is."""

import asyncio

import pytest

from allerac.background import BackgroundTask

LONG, SOON = 60.0, 0.01
SECONDS = 20


class Rounds:
    """Counts how often the work looked; `allowed` has to be set for it to go on looking."""

    def __init__(self, wait_seconds: float) -> None:
        self.task = BackgroundTask(self._work, name="rounds")
        self.looked = asyncio.Queue[int]()
        self.busy = asyncio.Event()
        self.busy.set()
        self._wait_seconds = wait_seconds

    async def _work(self) -> None:
        count = 0
        while True:
            count += 1
            self.looked.put_nowait(count)
            await self.busy.wait()
            await self.task.wait(self._wait_seconds)


@pytest.mark.parametrize("wait_seconds", [LONG, SOON])
async def test_it_looks_again_when_woken_or_when_its_time_is_up(wait_seconds: float) -> None:
    rounds = Rounds(wait_seconds)
    rounds.task.start()
    async with asyncio.timeout(SECONDS):
        assert await rounds.looked.get() == 1
        if wait_seconds == LONG:
            rounds.task.wake()
        assert await rounds.looked.get() == 2
    await rounds.task.stop()


async def test_being_woken_at_work_is_not_forgotten_and_counts_once() -> None:
    rounds = Rounds(LONG)
    rounds.busy.clear()
    rounds.task.start()
    async with asyncio.timeout(SECONDS):
        assert await rounds.looked.get() == 1
        rounds.task.wake()
        rounds.task.wake()
        rounds.busy.set()
        assert await rounds.looked.get() == 2
    for _ in range(10):
        await asyncio.sleep(0)
    assert rounds.looked.empty()
    await rounds.task.stop()


async def test_it_stops_before_it_has_begun_and_in_the_middle() -> None:
    rounds = Rounds(LONG)
    await rounds.task.stop()
    rounds.task.start()
    async with asyncio.timeout(SECONDS):
        await rounds.looked.get()
        await rounds.task.stop()
    rounds.task.wake()
    assert rounds.looked.empty()
