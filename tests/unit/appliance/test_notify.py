"""What systemd hears."""

import asyncio
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from allerac.appliance.notify import ServiceNotifier

PID = 4242
RECEIVE_SECONDS = 10


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    """The socket that systemd listens on."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "notify"))
        sock.settimeout(RECEIVE_SECONDS)
        yield sock


def heard(manager: socket.socket) -> list[str]:
    return manager.recv(4096).decode().splitlines()


def test_readiness_and_end_are_told(manager: socket.socket) -> None:
    notifier = ServiceNotifier({"NOTIFY_SOCKET": manager.getsockname()}, PID)
    notifier.ready("Ready")
    assert heard(manager) == ["READY=1", "STATUS=Ready"]
    notifier.stopping()
    assert heard(manager)[0] == "STOPPING=1"


def test_abstract_socket_is_reached() -> None:
    name = f"allerac-notify-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(f"\0{name}")
        manager.settimeout(RECEIVE_SECONDS)
        ServiceNotifier({"NOTIFY_SOCKET": f"@{name}"}, PID).ready("Ready")
        assert heard(manager)[0] == "READY=1"


def test_manager_that_does_not_listen_holds_nobody_up(manager: socket.socket) -> None:
    notifier = ServiceNotifier({"NOTIFY_SOCKET": manager.getsockname()}, PID)
    with capture_logs() as logs:
        while not logs:
            notifier.ready("Ready")
    assert logs[0]["event"] == "service_manager_not_told"


def test_manager_that_is_gone_is_logged(tmp_path: Path) -> None:
    with capture_logs() as logs:
        ServiceNotifier({"NOTIFY_SOCKET": str(tmp_path / "gone")}, PID).ready("Ready")
    assert [entry["what"] for entry in logs] == ["READY=1"]


def test_without_a_manager_nothing_is_said() -> None:
    notifier = ServiceNotifier({}, PID)
    notifier.ready("Ready")
    assert notifier.watch_seconds == 0


@pytest.mark.parametrize(
    ("watched_pid", "seconds"), [(str(PID), 30.0), (str(PID + 1), 0.0), (None, 30.0)]
)
def test_watch_is_kept_only_by_the_process_it_is_meant_for(
    watched_pid: str | None, seconds: float
) -> None:
    environment = {"WATCHDOG_USEC": "30000000"}
    if watched_pid is not None:
        environment["WATCHDOG_PID"] = watched_pid
    assert ServiceNotifier(environment, PID).watch_seconds == seconds


async def test_a_turning_event_loop_feeds_the_watchdog(manager: socket.socket) -> None:
    environment = {"NOTIFY_SOCKET": manager.getsockname(), "WATCHDOG_USEC": "30000"}
    feeding = asyncio.create_task(ServiceNotifier(environment, PID).keep_alive())
    for _ in range(3):
        assert await asyncio.to_thread(heard, manager) == ["WATCHDOG=1"]
    feeding.cancel()
    with pytest.raises(asyncio.CancelledError):
        await feeding


async def test_a_service_that_is_not_well_starves_the_watchdog(manager: socket.socket) -> None:
    environment = {"NOTIFY_SOCKET": manager.getsockname(), "WATCHDOG_USEC": "3000"}
    asked = asyncio.Event()
    answers = iter([False] * 5)

    def is_well() -> bool:
        well = next(answers, None)
        if well is None:
            asked.set()
        return bool(well)

    feeding = asyncio.create_task(ServiceNotifier(environment, PID).keep_alive(is_well))
    async with asyncio.timeout(RECEIVE_SECONDS):
        await asked.wait()
    feeding.cancel()
    await asyncio.gather(feeding, return_exceptions=True)
    manager.setblocking(False)
    with pytest.raises(BlockingIOError):
        heard(manager)
