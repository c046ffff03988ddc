"""Tells systemd how the service is doing: sd_notify(3), sd_watchdog_enabled(3)."""

import asyncio
import socket
from collections.abc import Callable, Mapping
from typing import Final, Never

import structlog

log = structlog.get_logger()

BEATS_PER_WATCH: Final = 3
"""sd_watchdog_enabled(3) advises two; one more forgives a machine that is busy."""


class ServiceNotifier:
    """Speaks to the socket that `environment` names; nobody listens where it names none."""

    def __init__(self, environment: Mapping[str, str], pid: int) -> None:
        self._address = environment.get("NOTIFY_SOCKET", "")
        watch_microseconds = int(environment.get("WATCHDOG_USEC", "0"))
        is_ours = environment.get("WATCHDOG_PID", str(pid)) == str(pid)
        self.watch_seconds = watch_microseconds / 1e6 if is_ours else 0.0

    def ready(self, status: str) -> None:
        """Say that requests are answered."""
        self._send("READY=1", f"STATUS={status}")

    def stopping(self) -> None:
        """Say that the end is intended."""
        self._send("STOPPING=1", "STATUS=Stopping")

    async def keep_alive(self, is_well: Callable[[], bool] = lambda: True) -> Never:
        """Say until cancelled that the event loop turns and all is well.

        A service that says so no more is started anew.
        """
        while True:
            if is_well():
                self._send("WATCHDOG=1")
            await asyncio.sleep(self.watch_seconds / BEATS_PER_WATCH)

    def _send(self, *assignments: str) -> None:
        if not self._address:
            return
        address = self._address
        if address.startswith("@"):  # the abstract namespace, unix(7)
            address = "\0" + address[1:]
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.setblocking(False)  # a manager that does not listen holds nobody up
            try:
                sock.sendto("\n".join(assignments).encode(), address)
            except OSError as error:
                log.warning("service_manager_not_told", what=assignments[0], reason=str(error))
