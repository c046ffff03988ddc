"""Whatever happens to the engine's process costs at most the answers it was giving."""

import asyncio
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from structlog.testing import capture_logs

from allerac.engine.protocol import PromptMessage, Sampling
from allerac.engine.supervisor import EngineSupervisor
from allerac.errors import AlleracError, EngineStopped, EngineUnavailable
from tests.engine.asking import (
    RESTART_SECONDS,
    end_of,
    events_of,
    first_words,
    random_model,
    request,
)
from tests.engine.killing import kill, until

HANG_SECONDS = 2.0
KILLS = 15
"""The whole box loses its engine 50 times (tests/faults/test_engine_kills.py)."""


async def test_kill_in_mid_answer_costs_that_answer_only(endless: EngineSupervisor) -> None:
    stream = endless.generate(request("Hi", model="random"))
    await first_words(stream)
    killed = kill(endless)
    with pytest.raises(EngineStopped) as caught:
        async for _ in stream:
            pass
    assert caught.value.hint
    async with asyncio.timeout(RESTART_SECONDS):
        events = await events_of(
            endless, request("Hi", model="random", sampling=Sampling(0.0, max_tokens=2))
        )
    assert end_of(events).usage.completion_tokens <= 2
    assert endless.status().pid != killed
    assert endless.status().restarts == 1


async def test_log_says_how_each_process_ended(endless: EngineSupervisor) -> None:
    with capture_logs() as told:
        for number, blow in enumerate((signal.SIGKILL, signal.SIGSEGV, signal.SIGKILL), 1):
            kill(endless, blow)
            await until(lambda: endless.status().restarts == number)  # noqa: B023 - awaited here
            await until(lambda: endless.status().state == "ready")
    ends = [entry["status"] for entry in told if entry["event"] == "engine_ended"]
    assert ends == [-signal.SIGKILL, -signal.SIGSEGV, -signal.SIGKILL]


async def test_request_that_had_sent_nothing_is_answered_by_the_next_process(
    supervisor: EngineSupervisor, tiny_path: Path
) -> None:
    await supervisor.load(random_model(tiny_path, sequences=1))
    running = supervisor.generate(request("Hi", model="random"))
    await first_words(running)
    short = request("Hi", model="random", person="bob", sampling=Sampling(0.0, max_tokens=2))
    waiting = asyncio.create_task(events_of(supervisor, short))
    await until(lambda: supervisor.status().waiting == 1)
    kill(supervisor)
    with pytest.raises(EngineStopped):
        async for _ in running:
            pass
    async with asyncio.timeout(RESTART_SECONDS):
        assert end_of(await waiting).usage.completion_tokens <= 2


async def test_request_that_takes_the_engine_down_is_tried_only_twice(
    supervisor: EngineSupervisor, tiny_path: Path
) -> None:
    await supervisor.load(random_model(tiny_path, sequences=1))
    running = supervisor.generate(request("Hi", model="random"))
    await first_words(running)
    poison = supervisor.generate(request("Hi", model="random", person="bob"))
    outcome = asyncio.create_task(_drain(poison))
    await until(lambda: supervisor.status().waiting == 1)
    kill(supervisor, signal.SIGSTOP)  # nothing is sent from here on
    kill(supervisor)
    await until(lambda: supervisor.status().restarts == 1)
    await until(lambda: supervisor.status().state == "ready")
    kill(supervisor)
    await until(lambda: supervisor.status().restarts == 2)
    error = await outcome
    assert error is None or isinstance(error, EngineStopped)
    await running.aclose()


async def _drain(stream: object) -> AlleracError | None:
    try:
        async for _ in stream:  # type: ignore[attr-defined]
            pass
    except AlleracError as err:
        return err
    return None


async def test_hung_process_is_replaced(tiny_path: Path) -> None:
    engine = EngineSupervisor(hang_seconds=HANG_SECONDS)
    await engine.start()
    try:
        await engine.load(random_model(tiny_path))
        stream = engine.generate(request("Hi", model="random"))
        await first_words(stream)
        kill(engine, signal.SIGSTOP)
        async with asyncio.timeout(HANG_SECONDS + RESTART_SECONDS):
            with pytest.raises(EngineStopped):
                async for _ in stream:
                    pass
            await events_of(
                engine, request("Hi", model="random", sampling=Sampling(0.0, max_tokens=2))
            )
    finally:
        await engine.stop()


@pytest.mark.slow
async def test_hung_process_is_being_replaced_before_the_promised_time_is_over(
    endless: EngineSupervisor,
) -> None:
    stream = endless.generate(request("Hi", model="random"))
    await first_words(stream)
    hung = kill(endless, signal.SIGSTOP)
    await until(lambda: endless.status().restarts == 1)
    with pytest.raises(EngineStopped):
        async for _ in stream:
            pass
    await until(lambda: endless.status().state == "ready")
    assert endless.status().pid != hung


async def test_idle_process_that_hangs_is_replaced(tiny_path: Path) -> None:
    engine = EngineSupervisor(hang_seconds=HANG_SECONDS)
    await engine.start()
    try:
        await engine.load(random_model(tiny_path))
        kill(engine, signal.SIGSTOP)
        await until(lambda: engine.status().restarts == 1, HANG_SECONDS + RESTART_SECONDS)
        await until(lambda: engine.status().state == "ready")
    finally:
        await engine.stop()


async def test_runtime_that_was_held_up_does_not_take_the_engine_for_hung(tiny_path: Path) -> None:
    engine = EngineSupervisor(hang_seconds=HANG_SECONDS)
    await engine.start()
    try:
        await engine.load(random_model(tiny_path))
        pid = engine.status().pid
        time.sleep(HANG_SECONDS * 1.5)  # noqa: ASYNC251 - blocking the loop is what is tested
        await engine.count_tokens([PromptMessage("user", "Hi")])
        assert engine.status().pid == pid
    finally:
        await engine.stop()


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_kills_under_four_chats_leave_a_working_engine(
    endless: EngineSupervisor,
) -> None:
    """Every answer ends by EngineStopped or, where it had sent nothing, goes on."""
    ends: list[str] = []
    done = asyncio.Event()

    async def chat(person: str) -> None:
        while not done.is_set():
            asked = request("Hi", model="random", person=person, sampling=Sampling(1.0, seed=1))
            try:
                events = await events_of(endless, asked)
            except EngineStopped:
                ends.append("stopped")
            else:
                ends.append(end_of(events).reason)

    chats = [asyncio.create_task(chat(f"person-{i}")) for i in range(4)]
    for kills in range(1, KILLS + 1):
        await until(lambda: endless.status().state == "ready" and endless.status().active > 0)
        kill(endless)
        expected = kills
        await until(lambda: endless.status().restarts == expected)  # noqa: B023 - awaited here
    done.set()
    await asyncio.gather(*chats)
    assert set(ends) <= {"stopped", "stop", "length"}
    assert ends.count("stopped") >= KILLS
    short = Sampling(0.0, max_tokens=2)
    assert await events_of(endless, request("Hi", model="random", sampling=short))
    assert endless.status().waiting == endless.status().active == 0


async def test_dead_parent_takes_the_engine_along(tiny_path: Path) -> None:
    code = """
import asyncio, sys
from allerac.engine.supervisor import EngineSupervisor
from tests.engine.asking import random_model
from pathlib import Path
async def main():
    engine = EngineSupervisor()
    await engine.start()
    await engine.load(random_model(Path(sys.argv[1])))
    print(engine.status().pid, flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""
    parent = subprocess.Popen(  # noqa: ASYNC220 - killed below
        [sys.executable, "-c", code, str(tiny_path)], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    with parent.stdout:
        lines = iter(parent.stdout.readline, "")
        child = psutil.Process(next(int(line) for line in lines if line.strip().isdigit()))
    parent.kill()
    parent.wait()
    await until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)


async def test_stop_leaves_no_process_and_ends_answers(endless: EngineSupervisor) -> None:
    stream = endless.generate(request("Hi", model="random"))
    await first_words(stream)
    pid = endless.status().pid
    assert pid is not None
    await endless.stop()
    assert not psutil.pid_exists(pid)
    with pytest.raises(EngineStopped):
        async for _ in stream:
            pass
    assert endless.status().state == "stopped"


async def test_stop_in_the_middle_of_a_load_leaves_nothing_behind(
    supervisor: EngineSupervisor, tiny_path: Path
) -> None:
    loading = asyncio.create_task(supervisor.load(random_model(tiny_path)))
    await until(lambda: supervisor.status().state == "loading")
    pid = supervisor.status().pid
    assert pid is not None
    await supervisor.stop()
    with pytest.raises(EngineUnavailable):
        await loading
    assert not psutil.pid_exists(pid)
    assert supervisor.status().state == "stopped"


async def test_engine_process_sees_no_secret_and_no_network(engine: EngineSupervisor) -> None:
    pid = engine.status().pid
    assert pid is not None
    environment = psutil.Process(pid).environ()
    assert environment["GGML_NO_BACKTRACE"] == "1"
    assert set(environment) <= {
        "GGML_NO_BACKTRACE",
        "GOMP_SPINCOUNT",
        "OPENBLAS_NUM_THREADS",
        "LANG",
        "PATH",
        "PYTHONPATH",
        "PYTHONDONTWRITEBYTECODE",
        "LC_CTYPE",
    }
    assert psutil.Process(pid).net_connections("inet") == []
