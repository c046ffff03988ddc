"""An engine process that systemd starts for a connection is as good as one that we start."""

import asyncio
import gc
import os
import signal
import socket
import subprocess
import sys
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from allerac.engine.process import ConnectedProcess, connect_to, spawn
from allerac.engine.protocol import Sampling
from allerac.engine.supervisor import EngineSupervisor
from allerac.engine.wire import Load, Report
from allerac.errors import EngineStopped, EngineUnavailable
from tests.engine.asking import (
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
from tests.engine.socket_activation import SocketActivation, socket_activation

HANG_SECONDS = 2.0
END_SECONDS = 5.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "engine.sock"


@pytest.fixture
def units(path: Path) -> Iterator[SocketActivation]:
    with socket_activation(path) as activation:
        yield activation


@asynccontextmanager
async def connected(
    path: Path, hang_seconds: float = HANG_SECONDS
) -> AsyncIterator[EngineSupervisor]:
    engine = EngineSupervisor(launch=connect_to(path), hang_seconds=hang_seconds)
    await engine.start()
    try:
        yield engine
    finally:
        await engine.stop()


async def status_of(process: "subprocess.Popen[bytes]") -> int:
    """Return the exit status of a process that should be ending."""
    return await asyncio.to_thread(process.wait, END_SECONDS)


async def test_connected_process_says_what_a_spawned_one_says(
    units: SocketActivation, path: Path, engine: EngineSupervisor
) -> None:
    async with connected(path) as other:
        await other.load(demo_model())
        said = text_of(await events_of(other, request(PASSWORD)))
    assert said
    assert said == text_of(await events_of(engine, request(PASSWORD)))
    assert [await status_of(process) for process in units.processes] == [0]


async def test_process_that_takes_long_to_start_is_waited_for(path: Path) -> None:
    """On a box that has just been switched on, Python itself may take longer than a hang does."""
    slow = (
        "import runpy, sys, time\n"
        "time.sleep(3)\n"
        "sys.argv = ['child', '--stdin']\n"
        "runpy.run_module('allerac.engine.child', run_name='__main__')\n"
    )
    with socket_activation(path, (sys.executable, "-P", "-c", slow)) as units:
        async with connected(path, hang_seconds=1.0) as engine:
            await engine.load(demo_model())
            assert engine.status().state == "ready"
        assert len(units.processes) == 1


async def test_process_ends_with_its_connection_in_mid_answer(
    units: SocketActivation, path: Path, tiny_path: Path
) -> None:
    async with connected(path) as engine:
        await engine.load(random_model(tiny_path))
        stream = engine.generate(request("Hi", model="random"))
        await first_words(stream)
    with pytest.raises(EngineStopped):
        async for _ in stream:
            pass
    assert await status_of(units.processes[0]) == 0


async def test_process_ends_with_its_connection_whatever_it_computes(path: Path) -> None:
    """Sleeping stands for a call into llama.cpp that never returns: both let other threads run."""
    stuck = (
        "import time\n"
        "from allerac.engine.channel import Channel\n"
        "from allerac.engine.wire import Loaded\n"
        "from allerac.engine.child import last_commands, take_standard_input\n"
        "channel = Channel(take_standard_input())\n"
        "next(last_commands(channel.commands()))\n"
        "channel.send(Loaded(1))\n"
        "time.sleep(600)\n"
    )
    loaded: asyncio.Future[Report] = asyncio.get_running_loop().create_future()
    with socket_activation(path, (sys.executable, "-c", stuck)) as units:
        process = await connect_to(path)(loaded.set_result)
        process.send(Load(demo_model()))
        await loaded
        process.kill()
        assert await status_of(units.processes[0]) == 0


async def test_end_returns_when_the_memory_is_free_again(
    units: SocketActivation, path: Path, tiny_path: Path
) -> None:
    loaded: asyncio.Future[Report] = asyncio.get_running_loop().create_future()

    def hear(report: Report) -> None:
        if not loaded.done():
            loaded.set_result(report)

    process = await connect_to(path)(hear)
    process.send(Load(random_model(tiny_path)))
    await loaded
    await process.end()
    assert units.processes[0].poll() == 0


async def test_end_does_not_wait_for_a_process_that_does_not_end(path: Path) -> None:
    with socket_activation(path, ("/bin/sleep", "60")) as units:
        process = await connect_to(path)(lambda _: None)
        async with asyncio.timeout(END_SECONDS):
            assert await process.end(0.1) == ""
        assert isinstance(process, ConnectedProcess)
        assert process.returncode is None
        assert units.processes[0].poll() is None


async def test_killed_process_costs_that_answer_only(
    units: SocketActivation, path: Path, tiny_path: Path
) -> None:
    async with connected(path) as engine:
        await engine.load(random_model(tiny_path))
        stream = engine.generate(request("Hi", model="random"))
        await first_words(stream)
        units.processes[0].kill()
        with pytest.raises(EngineStopped):
            async for _ in stream:
                pass
        short = request("Hi", model="random", sampling=Sampling(0.0, max_tokens=2))
        async with asyncio.timeout(RESTART_SECONDS):
            assert end_of(await events_of(engine, short)).usage.completion_tokens <= 2
        assert len(units.processes) == 2


async def test_hung_process_is_replaced(
    units: SocketActivation, path: Path, tiny_path: Path
) -> None:
    async with connected(path) as engine:
        await engine.load(random_model(tiny_path))
        os.kill(units.processes[0].pid, signal.SIGSTOP)
        async with asyncio.timeout(HANG_SECONDS + RESTART_SECONDS):
            while not _is_back(engine):  # noqa: ASYNC110 - a process has no event to wait for
                await asyncio.sleep(0.01)
        assert len(units.processes) == 2


def _is_back(engine: EngineSupervisor) -> bool:
    status = engine.status()
    return status.restarts > 0 and status.state == "ready"


async def test_process_that_ends_while_loading_is_told_without_a_status(
    path: Path, tiny_path: Path
) -> None:
    with socket_activation(path, ("/bin/false",)):
        async with connected(path) as engine:
            with pytest.raises(EngineUnavailable, match="engine ended") as caught:
                await engine.load(random_model(tiny_path))
            assert caught.value.hint
            assert engine.status().state == "failed"


async def test_engine_that_is_not_there_is_said(path: Path, tiny_path: Path) -> None:
    async with connected(path) as engine:
        with pytest.raises(EngineUnavailable):
            await engine.load(random_model(tiny_path))


def test_nothing_that_is_printed_reaches_the_connection() -> None:
    chatter = (
        "import os\n"
        "from allerac.engine.child import take_standard_input\n"
        "sock = take_standard_input()\n"
        "for stream in (1, 2): os.write(stream, b'stray')\n"
        "sock.sendall(b'meant')\n"
    )
    ours, theirs = socket.socketpair()
    with ours, theirs:
        subprocess.run(
            [sys.executable, "-c", chatter],
            stdin=theirs.fileno(),
            stdout=theirs.fileno(),
            stderr=theirs.fileno(),
            check=True,
            timeout=60,
        )
        assert ours.recv(100) == b"meant"


async def test_start_that_is_given_up_at_once_leaves_no_socket_open() -> None:
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        starting = asyncio.create_task(spawn(lambda _: None))
        await asyncio.sleep(0)
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting
        del starting
        gc.collect()
        await asyncio.sleep(0)
    assert [warning.message for warning in told] == []
