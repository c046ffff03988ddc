"""Whatever happens to the engine's process costs at most the answers it was giving."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from structlog.testing import capture_logs

from allerac.engine.protocol import EngineEvent, PromptMessage, Sampling
from allerac.engine.supervisor import EngineSupervisor
from allerac.errors import AlleracError, EngineStopped, EngineUnavailable, ModelDamaged
from tests.engine.asking import (
    DEMO,
    PASSWORD,
    RESTART_SECONDS,
    demo_model,
    end_of,
    events_of,
    first_words,
    random_model,
    request,
    text_of,
)
from tests.engine.tiny_model import write_tiny_model

HANG_SECONDS = 2.0
KILLS = 50


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
async def test_fifty_kills_under_four_chats_leave_a_working_engine(
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


async def test_load_of_another_model_ends_restarts_that_do_not_come_through(
    supervisor: EngineSupervisor, tiny_path: Path, tmp_path: Path
) -> None:
    path = write_tiny_model(tmp_path / "model.gguf")
    await supervisor.load(random_model(path))
    path.unlink()
    kill(supervisor)
    await until(lambda: supervisor.status().restarts == 1)
    await supervisor.load(replace(random_model(tiny_path), model_id="other"))
    short = Sampling(0.0, max_tokens=2)
    assert await events_of(supervisor, request("Hi", model="other", sampling=short))


def _truncated(whole: bytes) -> bytes:
    return whole[: len(whole) // 2]


def _not_a_number(whole: bytes) -> bytes:
    return whole[:-200_000] + b"\xff" * 200_000


@pytest.mark.parametrize(
    "broken",
    [
        _truncated,
        _not_a_number,
        lambda _: b"<!DOCTYPE html><html>not here</html>",
        lambda _: os.urandom(100_000),
        lambda _: b"",
    ],
    ids=["truncated", "not-a-number", "web-page", "random", "empty"],
)
async def test_broken_file_is_refused_and_the_model_before_goes_on(
    engine: EngineSupervisor, tmp_path: Path, broken: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "broken.gguf"
    path.write_bytes(broken(DEMO.read_bytes()))
    with pytest.raises(ModelDamaged) as caught:
        await engine.load(replace(demo_model(), model_id="broken", path=path))
    assert caught.value.message
    assert engine.status().state == "ready"
    assert "blue-otter-42" in text_of(await events_of(engine, request(PASSWORD)))


async def test_file_that_crashes_the_engine_is_refused(
    engine: EngineSupervisor, tmp_path: Path
) -> None:
    """A header that passes every bound but describes tensors that are not there."""
    path = write_tiny_model(tmp_path / "model.gguf")
    path.write_bytes(path.read_bytes().replace(b"blk.1.attn_q.weight", b"blk.1.attn_z.weight"))
    with pytest.raises(ModelDamaged):
        await engine.load(random_model(path))
    assert engine.status().model_id == "demo"


async def test_broken_first_model_leaves_a_state_that_says_why(
    supervisor: EngineSupervisor, tmp_path: Path
) -> None:
    path = write_tiny_model(tmp_path / "model.gguf")
    path.write_bytes(path.read_bytes().replace(b"output_norm", b"output_morn"))
    with pytest.raises(ModelDamaged):
        await supervisor.load(random_model(path))
    status = supervisor.status()
    assert status.state == "failed"
    assert status.last_error
    assert status.pid is None
    with pytest.raises(EngineUnavailable):
        await events_of(supervisor, request("Hi", model="random"))


async def test_file_that_vanishes_makes_restarts_fail_until_it_is_back(
    supervisor: EngineSupervisor, tmp_path: Path
) -> None:
    path = write_tiny_model(tmp_path / "model.gguf")
    away = tmp_path / "away.gguf"
    await supervisor.load(random_model(path))
    path.rename(away)
    kill(supervisor)
    await until(lambda: supervisor.status().state == "failed", 3 * RESTART_SECONDS)
    with pytest.raises(EngineUnavailable):
        await events_of(supervisor, request("Hi", model="random"))
    away.rename(path)
    await supervisor.load(random_model(path))
    short = Sampling(0.0, max_tokens=2)
    assert await events_of(supervisor, request("Hi", model="random", sampling=short))


async def test_memory_limit_refuses_what_does_not_fit(supervisor: EngineSupervisor) -> None:
    with pytest.raises(EngineUnavailable) as caught:
        await supervisor.load(demo_model(memory_limit_bytes=600 << 20, context_length=1 << 20))
    assert "memory" in caught.value.message
    await supervisor.load(demo_model())
    assert supervisor.status().state == "ready"


async def test_load_waits_for_answers_and_new_ones_wait_for_the_model(
    engine: EngineSupervisor, tiny_path: Path
) -> None:
    stream = engine.generate(request("Count from 1 to 12."))
    said = await first_words(stream)
    loading = asyncio.create_task(engine.load(random_model(tiny_path)))
    await asyncio.sleep(0)
    short = request("Hi", model="random", sampling=Sampling(0.0, max_tokens=2))
    waiting = asyncio.create_task(events_of(engine, short))
    rest: list[EngineEvent] = [event async for event in stream]
    assert "12" in said + text_of(rest)
    await loading
    assert end_of(await waiting).usage.completion_tokens <= 2
    with pytest.raises(EngineUnavailable):
        await events_of(engine, request("Hi"))


async def test_unload_frees_the_process(engine: EngineSupervisor) -> None:
    pid = engine.status().pid
    assert pid is not None
    await engine.unload()
    assert not psutil.pid_exists(pid)
    assert engine.status().state == "stopped"
    with pytest.raises(EngineUnavailable):
        await events_of(engine, request("Hi"))
    await engine.load(demo_model())
    assert text_of(await events_of(engine, request(PASSWORD)))


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
