"""How many threads compute is changed while the engine answers."""

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from allerac.engine.protocol import Sampling
from allerac.engine.supervisor import EngineSupervisor
from allerac.engine.threads import ThreadPolicy
from tests.engine.asking import end_of, events_of, first_words, random_model, request

SHORT = Sampling(0.0, max_tokens=4)
END_SECONDS = 10.0
"""In which threads that are no longer needed have ended, on a busy machine too."""


@pytest.mark.parametrize(
    ("limit", "threads"), [(None, (4, 8)), (6, (4, 6)), (1, (1, 1)), (0, (1, 1)), (99, (4, 8))]
)
def test_limit_lowers_both_and_leaves_one(limit: int | None, threads: tuple[int, int]) -> None:
    assert ThreadPolicy(4, 8).limited(limit) == threads


async def test_threads_change_in_mid_answer_without_a_restart(
    supervisor: EngineSupervisor, tiny_path: Path
) -> None:
    await supervisor.load(replace(random_model(tiny_path), threads=2, prefill_threads=2))
    pid = supervisor.status().pid
    stream = supervisor.generate(request("Hi", model="random"))
    await first_words(stream)
    for limit in (1, 2, None, 0):
        supervisor.limit_threads("heat", limit)
        assert await first_words(stream)
    await stream.aclose()
    assert supervisor.status().pid == pid


async def test_lowest_of_several_limits_holds(supervisor: EngineSupervisor) -> None:
    for why, limit, lowest in (
        ("heat", 2, 2),
        ("indexing", 3, 2),
        ("heat", None, 3),
        ("heat", 1, 1),
        ("indexing", None, 1),
        ("heat", None, None),
    ):
        supervisor.limit_threads(why, limit)
        assert supervisor.thread_limit == lowest


def _tasks(pid: int | None) -> list[int]:
    """The process's threads, the oldest first."""
    return sorted(int(task.name) for task in Path(f"/proc/{pid}/task").iterdir())


async def _answering_tasks(supervisor: EngineSupervisor) -> int:
    """Threads of the engine's process once it has answered."""
    end_of(await events_of(supervisor, request("Hi", model="random", sampling=SHORT)))
    return len(_tasks(supervisor.status().pid))


async def _until_answering_tasks_are(supervisor: EngineSupervisor, wanted: int) -> None:
    """Answer and wait: those that tried the model end by and by, after the first answer too."""
    there = await _answering_tasks(supervisor)
    with suppress(TimeoutError):
        async with asyncio.timeout(END_SECONDS):
            while there != wanted:
                await asyncio.sleep(0.05)
                there = len(_tasks(supervisor.status().pid))
    assert there == wanted


async def test_limit_is_obeyed_and_holds_for_the_process_that_follows(
    supervisor: EngineSupervisor, tiny_path: Path
) -> None:
    """Threads that are not to compute are not there before they have to be."""
    await supervisor.load(random_model(tiny_path))
    alone = await _answering_tasks(supervisor)
    supervisor.limit_threads("heat", 1)
    await supervisor.load(replace(random_model(tiny_path), threads=3))
    await _until_answering_tasks_are(supervisor, alone)
    pid = supervisor.status().pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    await _until_answering_tasks_are(supervisor, alone)
    supervisor.limit_threads("heat", 2)
    await _until_answering_tasks_are(supervisor, alone + 1)
    supervisor.limit_threads("heat", None)
    await _until_answering_tasks_are(supervisor, alone + 2)


async def test_one_team_of_threads_computes(supervisor: EngineSupervisor, tiny_path: Path) -> None:
    """A second, idle one would let libgomp sleep at each barrier instead of spinning."""
    await supervisor.load(random_model(tiny_path))
    alone = await _answering_tasks(supervisor)
    await supervisor.load(replace(random_model(tiny_path), threads=3))
    await _until_answering_tasks_are(supervisor, alone + 2)


@pytest.mark.parametrize("processors", [(0,), (), (0, 4096)])
def test_process_stays_on_the_processors_that_it_is_given(processors: tuple[int, ...]) -> None:
    code = (
        "import os; from allerac.engine.threads import pin;"
        f"pin({processors!r}); print(sorted(os.sched_getaffinity(0)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    wanted = sorted(set(processors) & os.sched_getaffinity(0)) or sorted(os.sched_getaffinity(0))
    assert out.stdout.strip() == str(wanted)


async def test_first_threads_have_the_first_processors_for_themselves(
    supervisor: EngineSupervisor, tiny_path: Path
) -> None:
    """As on a machine of two kinds of core: who writes stays on the first, all of them read."""
    order = tuple(sorted(os.sched_getaffinity(0), reverse=True))[:2]
    file = replace(random_model(tiny_path), threads=1, prefill_threads=len(order))
    await supervisor.load(replace(file, processors=order, in_order=True))
    end_of(await events_of(supervisor, request("Hi" * 100, model="random", sampling=SHORT)))
    places = [os.sched_getaffinity(task) for task in _tasks(supervisor.status().pid)]
    alone = [place for place in places if len(place) == 1]
    assert set().union(*alone) == {*order}
    assert alone[-1] == {order[-1]}, "the helper came last"
