"""Starts runtimes by forking a process that has imported everything already.

Importing takes more than half of a start and writes nothing, so the tests, which start hundreds,
do it once for each of their workers. `python -m tests.starter FD`: each message on that socket is
the environment of a start, with two files: one for what the runtime prints, one for its status.
"""

import atexit
import gc
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import IO, Final, Never

MESSAGE_BYTES: Final = 1 << 18


@dataclass(slots=True)
class ForkedRuntime:
    """`allerac serve` as a child of the starter; the methods are those of `subprocess.Popen`."""

    pid: int
    stdout: IO[str]
    _status: IO[str]
    returncode: int | None = None

    def poll(self) -> int | None:
        """Return its status if it has ended: negative, the signal that ended it."""
        try:
            return self.wait(0)
        except subprocess.TimeoutExpired:
            return None

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it has ended and return its status. Raises `subprocess.TimeoutExpired`."""
        if self.returncode is None:
            with selectors.DefaultSelector() as selector:
                selector.register(self._status, selectors.EVENT_READ)
                if not selector.select(timeout):
                    raise subprocess.TimeoutExpired("allerac serve", timeout or 0)
            with self._status:
                self.returncode = int(self._status.read())
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a power cut does."""
        self.send_signal(signal.SIGKILL)


def start_runtime(environment: Mapping[str, str]) -> ForkedRuntime:
    """Start `allerac serve` in `environment`; its errors are in what it prints."""
    starter = _starter()
    printed, prints = os.pipe()
    status, ends = os.pipe()
    socket.send_fds(starter, [json.dumps(dict(environment)).encode()], [prints, ends])
    os.close(prints)
    os.close(ends)
    return ForkedRuntime(int(starter.recv(MESSAGE_BYTES)), os.fdopen(printed), os.fdopen(status))


@cache
def _starter() -> socket.socket:
    """Return the socket of this process's starter, which ends with it."""
    orders, its_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with its_end:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.starter", str(its_end.fileno())],
            pass_fds=[its_end.fileno()],
            stdin=subprocess.DEVNULL,
        )
    atexit.register(_dismiss, orders, process)
    return orders


def _dismiss(orders: socket.socket, starter: subprocess.Popen[bytes]) -> None:
    orders.close()
    starter.wait()


def run(orders: socket.socket) -> None:
    """Start what is asked for until nobody is left who could ask."""
    _import_all()
    while True:
        message, files, _, _ = socket.recv_fds(orders, MESSAGE_BYTES, 2)
        if not message:
            return
        prints, ends = files
        attendant = os.fork()
        if attendant == 0:
            _attend(json.loads(message), orders, prints, ends)
        os.close(prints)
        os.close(ends)
        _forget_who_has_ended()


def _import_all() -> None:
    """Import what a runtime does until it is ready; not in the process that only asks.

    None of it is garbage, and what nobody writes to stays one copy.
    """
    import uvicorn.lifespan.on
    import uvicorn.protocols.http.h11_impl  # noqa: F401

    import allerac.serving  # noqa: F401
    from allerac.health.checks import find_checks

    find_checks()
    gc.freeze()


def _attend(environment: Mapping[str, str], orders: socket.socket, prints: int, ends: int) -> Never:
    """Start a runtime, tell its process id, then its status when it has ended."""
    runtime = os.fork()
    if runtime == 0:
        os.close(ends)
        orders.close()
        _serve(environment, prints)
    os.close(prints)
    orders.send(str(runtime).encode())
    orders.close()
    _, status = os.waitpid(runtime, 0)
    os.write(ends, str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


def _serve(environment: Mapping[str, str], prints: int) -> Never:
    from allerac.cli import main

    for stream in (sys.stdout, sys.stderr):
        os.dup2(prints, stream.fileno())
    os.close(prints)
    os.environ.clear()
    os.environ.update(environment)
    main(["serve"])


def _forget_who_has_ended() -> None:
    with_children = True
    while with_children:
        try:
            with_children = os.waitpid(-1, os.WNOHANG) != (0, 0)
        except ChildProcessError:
            return


if __name__ == "__main__":
    run(socket.socket(fileno=int(sys.argv[1])))
