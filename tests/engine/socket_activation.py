"""What systemd does for the engine's socket on the box: one process per connection."""

import contextlib
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Final

import allerac

ENGINE: Final = (sys.executable, "-P", "-m", "allerac.engine.child", "--stdin")


class SocketActivation:
    """Accepts on `path` (`Accept=yes`) and runs `command` for each connection.

    Like systemd it holds a connection until its process has ended, and gives it to the process as
    standard output too, which is what `StandardInput=socket` does when nothing else is said.
    """

    def __init__(self, path: Path, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self.processes: list[subprocess.Popen[bytes]] = []
        self._command = command
        self._environment = {
            "PATH": os.defpath,
            "PYTHONPATH": str(Path(allerac.__file__).parents[1]),
            **environment,
        }
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self._waiting: list[threading.Thread] = []
        self._accepting = threading.Thread(target=self._accept)
        self._accepting.start()

    def stop(self) -> None:
        """Take no more connections, end what still runs."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._accepting.join()
        self._listener.close()
        for process in self.processes:
            process.kill()
        for thread in self._waiting:
            thread.join()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # the end of `accept` when the listener is shut down
            while True:
                connection, _ = self._listener.accept()
                process = self._start(connection)
                self.processes.append(process)
                thread = threading.Thread(target=_hold, args=(connection, process))
                thread.start()
                self._waiting.append(thread)

    def _start(self, connection: socket.socket) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            self._command,
            stdin=connection.fileno(),
            stdout=connection.fileno(),
            env=self._environment,
            start_new_session=True,
        )


def _hold(connection: socket.socket, process: "subprocess.Popen[bytes]") -> None:
    process.wait()
    connection.close()


@contextmanager
def socket_activation(
    path: Path,
    command: Sequence[str] = ENGINE,
    environment: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[SocketActivation]:
    """A listening socket for the time of a test."""
    activation = SocketActivation(path, command, environment)
    try:
        yield activation
    finally:
        activation.stop()
