"""The command line: `allerac serve | detect | models … | openapi`."""

import argparse
import asyncio
import json
import logging
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Never

import structlog
import uvicorn
from pydantic import ValidationError

from allerac import __version__
from allerac.app import build_model_service, create_app, openapi_document, read_hardware
from allerac.appliance.notify import ServiceNotifier
from allerac.errors import AlleracError
from allerac.hardware.report import describe_machine
from allerac.models import ModelService
from allerac.models.commands import list_models, pull_model, remove_model, verify_model
from allerac.settings import Settings

SOCKET_MODE = 0o660


def main(words: list[str] | None = None) -> Never:
    """Run a command and exit with its status."""
    arguments = _parser().parse_args(words)
    try:
        settings = Settings()
    except ValidationError as error:
        _complain(f"A setting is not right: {error}")
        sys.exit(78)  # EX_CONFIG of sysexits.h
    try:
        sys.exit(arguments.run(settings, arguments))
    except AlleracError as error:
        _complain(f"{error.message} {error.hint}".strip())
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def serve(settings: Settings, _: argparse.Namespace) -> int:
    """Run Allerac until it is asked to stop."""
    _log_to_stderr(settings.log_level)
    listener = _listen(settings)
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

    server = _Server(config, ServiceNotifier(os.environ, os.getpid()), welcome)
    asyncio.run(server.serve(sockets=[listener]))
    return 0


class _Server(uvicorn.Server):
    """uvicorn that says when it is ready, that it lives, and when it stops."""

    def __init__(
        self, config: uvicorn.Config, notifier: ServiceNotifier, on_ready: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._notifier = notifier
        self._on_ready = on_ready
        self._alive: asyncio.Task[Never] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.should_exit:
            return
        if self._notifier.watch_seconds:
            self._alive = asyncio.create_task(self._notifier.keep_alive())
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


def detect(settings: Settings, _: argparse.Namespace) -> int:
    """Say what this machine is, which profile fits, which models, and how fast."""
    hardware = read_hardware(settings)
    print(describe_machine(hardware.machine, hardware.choice, hardware.profiles))
    return 0


def models(settings: Settings, arguments: argparse.Namespace) -> int:
    """List, fetch, verify, remove or import model files."""
    service = build_model_service(settings, read_hardware(settings))
    return asyncio.run(_models(service, arguments))


async def _models(service: ModelService, arguments: argparse.Namespace) -> int:
    await service.start()
    try:
        if arguments.action == "list":
            list_models(service, _write)
        elif arguments.action == "pull":
            await pull_model(service, arguments.name, _write)
        elif arguments.action == "verify":
            return 0 if await verify_model(service, arguments.name, _write) else 1
        elif arguments.action == "remove":
            await remove_model(service, arguments.name, _write)
        else:
            card = await service.import_file(Path(arguments.name))
            print(f"{card.id} is on board.")
    finally:
        await service.stop()
    return 0


def openapi(settings: Settings, arguments: argparse.Namespace) -> int:
    """Write the OpenAPI document, or check that the file is today's."""
    text = json.dumps(openapi_document(settings), indent=2, ensure_ascii=False) + "\n"
    if not arguments.check:
        arguments.file.write_text(text)
        return 0
    if arguments.file.is_file() and arguments.file.read_text() == text:
        return 0
    _complain(f"{arguments.file} is not today's; run `make api`.")
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="allerac", description="A local AI for the household.")
    parser.add_argument("--version", action="version", version=f"allerac {__version__}")
    commands = parser.add_subparsers(required=True, metavar="command")
    commands.add_parser("serve", help=serve.__doc__).set_defaults(run=serve)
    commands.add_parser("detect", help=detect.__doc__).set_defaults(run=detect)
    handling = commands.add_parser("models", help=models.__doc__)
    handling.set_defaults(run=models)
    actions = handling.add_subparsers(dest="action", required=True, metavar="action")
    actions.add_parser("list", help="what is on board and what this machine can run")
    for action, text in (
        ("pull", "fetch a model of the catalogue, going on where it was cut"),
        ("verify", "read a model again and compare it with its pin"),
        ("remove", "delete a model's file"),
        ("import", "take in a model from a file"),
    ):
        actions.add_parser(action, help=text).add_argument("name")
    document = commands.add_parser("openapi", help=openapi.__doc__)
    document.add_argument("--check", action="store_true")
    document.add_argument("file", type=Path)
    document.set_defaults(run=openapi)
    return parser


def _listen(settings: Settings) -> socket.socket:
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
        _complain(
            f"Port {settings.port} is taken ({error.strerror}). "
            f"Choose another: ALLERAC_PORT={settings.port + 1} make run"
        )
        sys.exit(1)
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
        _complain(f"The socket {path} cannot be made: {error.strerror}.")
        sys.exit(1)
    return listener


def _log_to_stderr(level: str) -> None:
    minimum = logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(minimum),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"]),
        ],
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)


def _write(text: str) -> None:
    print(text, end="" if text.endswith(("\n", "\r")) else "\n", flush=True)


def _complain(text: str) -> None:
    print(text, file=sys.stderr)
