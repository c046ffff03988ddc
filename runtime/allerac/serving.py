"""Runs Allerac: takes connections, says when it is ready, and stops when it is asked to."""

import asyncio
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Never

import uvicorn

from allerac.allocator import give_large_buffers_back
from allerac.app import create_app
from allerac.appliance.notify import ServiceNotifier
from allerac.errors import Unavailable
from allerac.logs import log_to_stderr
from allerac.settings import Settings

SOCKET_MODE = 0o660


def serve(settings: Settings) -> None:
    """Run until a signal ends it. Raises `Unavailable` when nobody can connect."""
    give_large_buffers_back()
    log_to_stderr(settings.log_level)
    listener = listen(settings)
    port = listener.getsockname()[1] if settings.socket is None else 80
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    app = create_app(settings, port=port)
    config = uvicorn.Config(
        app,
        log_config=None,
        server_header=False,
        date_header=True,
        timeout_graceful_shutdown=5,
        proxy_headers=False,
    )

    def welcome() -> None:
        if settings.socket is None:
            _welcome(settings, port, app.state.services.onboarding.claim_code())

    notifier = ServiceNotifier(os.environ, os.getpid())
    server = _Server(config, notifier, app.state.runtime.health.pulse.is_well, welcome)
    asyncio.run(server.serve(sockets=[listener]))


class _Server(uvicorn.Server):
    """uvicorn that says when it is ready, that it lives, and when it stops."""

    def __init__(
        self,
        config: uvicorn.Config,
        notifier: ServiceNotifier,
        is_well: Callable[[], bool],
        on_ready: Callable[[], None],
    ) -> None:
        super().__init__(config)
        self._notifier = notifier
        self._is_well = is_well
        self._on_ready = on_ready
        self._alive: asyncio.Task[Never] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.should_exit:
            return
        if self._notifier.watch_seconds:
            self._alive = asyncio.create_task(self._notifier.keep_alive(self._is_well))
        self._notifier.ready("Ready")
        self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._notifier.stopping()
        await super().shutdown(sockets)
        if self._alive is not None:
            self._alive.cancel()


def _welcome(settings: Settings, port: int, claim_code: str | None) -> None:
    host = "127.0.0.1" if settings.host in {"0.0.0.0", "::"} else settings.host  # noqa: S104 - compared, not bound
    address = f"http://{host}/" if port == 80 else f"http://{host}:{port}/"
    print(f"\n  Allerac is ready:  {address}", flush=True)
    if claim_code:
        print(f"  Claim code:        {claim_code}", flush=True)
    print("  Stop with Ctrl+C\n", flush=True)


def listen(settings: Settings) -> socket.socket:
    """Return a bound socket. Raises `Unavailable`."""
    if settings.socket is not None:
        return _listen_to_proxy(settings.socket)
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # asyncio switches Nagle's algorithm off only where the protocol is named; with it, each event
    # of an answer waits for the acknowledgement of the one before, up to 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as error:
        listener.close()
        raise Unavailable(
            f"Port {settings.port} is taken ({error.strerror}).",
            hint=f"Choose another: ALLERAC_PORT={settings.port + 1} make run",
        ) from error
    return listener


def _listen_to_proxy(path: Path) -> socket.socket:
    """Return a socket at `path` that its group, which is the proxy's, may open."""
    listener = socket.socket(socket.AF_UNIX)
    try:
        path.unlink(missing_ok=True)
        listener.bind(str(path))
        path.chmod(SOCKET_MODE)
    except OSError as error:
        listener.close()
        raise Unavailable(f"The socket {path} cannot be made: {error.strerror}.") from error
    return listener
