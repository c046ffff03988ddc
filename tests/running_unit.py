"""The runtime as a unit on the box: a Unix socket for the proxy, and systemd that listens."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

START_SECONDS = 60
WATCH_MICROSECONDS = 300_000
SOCKET_NAME = "runtime.sock"


@dataclass(slots=True)
class Unit:
    """A running service, and what it tells systemd."""

    process: subprocess.Popen[str]
    path: Path
    manager: socket.socket
    data_dir: Path

    def wait_for(self, line: str) -> None:
        """Return when systemd was told `line`; raises TimeoutError."""
        while line not in self.manager.recv(4096).decode().splitlines():
            pass

    def proxy(self, **headers: str) -> httpx.Client:
        """Return a client that speaks as nginx does."""
        return httpx.Client(
            transport=httpx.HTTPTransport(uds=str(self.path)),
            base_url="http://allerac.local",
            headers=headers,
            timeout=30,
        )


@contextmanager
def running_unit(folder: Path, prefix: Sequence[str] = (), **settings: str) -> Iterator[Unit]:
    """A service that is ready, started by the words of `prefix`, with everything in `folder`."""
    path, data_dir = folder / SOCKET_NAME, folder / "data"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(folder / "notify"))
        manager.settimeout(START_SECONDS)
        process = subprocess.Popen(
            [*prefix, sys.executable, "-m", "allerac", "serve"],
            env={
                **os.environ,
                "ALLERAC_DATA_DIR": str(data_dir),
                "ALLERAC_SOCKET": str(path),
                "NOTIFY_SOCKET": manager.getsockname(),
                "WATCHDOG_USEC": str(WATCH_MICROSECONDS),
                **settings,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        unit = Unit(process, path, manager, data_dir)
        try:
            unit.wait_for("READY=1")
            yield unit
        finally:
            process.kill()
            process.communicate()
