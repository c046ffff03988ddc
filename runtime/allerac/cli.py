"""The command line: `allerac serve | console | certificate | prove | detect | models … | openapi`.

Each command imports what it needs. The screen is drawn for as long as the box runs and shall not
hold the whole runtime in memory: that and the certificate, which the proxy waits for, are told by
their units what they need of the settings.
"""

import argparse
import asyncio
import gc
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Never

from allerac import __version__
from allerac.errors import AlleracError, Unavailable

if TYPE_CHECKING:
    from allerac.models import ModelService
    from allerac.settings import Settings


def main(words: list[str] | None = None) -> Never:
    """Run a command and exit with its status."""
    arguments = _parser().parse_args(words)
    try:
        sys.exit(arguments.run(arguments))
    except AlleracError as error:
        _complain(f"{error.message} {error.hint}".strip())
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def serve(_: argparse.Namespace) -> int:
    """Run Allerac until it is asked to stop."""
    with _quick_imports():
        from allerac.serving import serve

    serve(_settings())
    return 0


def console(arguments: argparse.Namespace) -> int:
    """Show the box's name, addresses and claim code on this terminal, until stopped."""
    from allerac.appliance.console import Sight, run_console

    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]  # a file, not a test's double
    sight = Sight(arguments.view, arguments.data_dir, _own_addresses, arguments.burn_in)
    run_console(sight, sys.stdout, os.environ.get("TERM", ""))


@contextmanager
def _quick_imports() -> Iterator[None]:
    """Look for garbage when all is there, not again and again meanwhile: a sixth of a start.

    Nor is it looked for in what was imported, which stays.
    """
    gc.disable()
    yield
    gc.freeze()
    gc.enable()


def _own_addresses() -> list[str]:
    from allerac.network.addresses import list_addresses

    return [address.ip for address in list_addresses()]


def certificate(arguments: argparse.Namespace) -> int:
    """Have a certificate for the box's proxy: make it, or renew it when it is time."""
    from allerac.appliance.certificate import CertificateFolder
    from allerac.appliance.identity import read_identity
    from allerac.network.addresses import list_addresses

    suffix = read_identity(arguments.identity_dir).suffix
    names = [f"allerac-{suffix}.local"] if suffix else []
    folder = CertificateFolder(arguments.data_dir / "tls")
    try:
        made = folder.ensure(names, [a.ip for a in list_addresses()], datetime.now(UTC))
    except OSError as error:
        raise Unavailable(f"The certificate cannot be kept: {error}.") from error
    facts = folder.facts()
    if facts is not None:
        kind = "A new certificate" if made else "The certificate"
        print(f"{kind} is good until {facts.expires_at:%Y-%m-%d}.")
        print(f"Authority, SHA-256: {facts.fingerprint}")
    return 0


def burn_in(arguments: argparse.Namespace) -> int:
    """Prove a new unit under load, once, and sign its birth certificate."""
    from allerac.app.burn_in import run_burn_in

    settings = _settings()
    asked = arguments.seconds, arguments.memory_mb, arguments.disk_mb
    return 0 if asyncio.run(run_burn_in(settings, _write, *asked)) else 1


def hand_over(arguments: argparse.Namespace) -> int:
    """Put this unit's birth certificate on a USB drive that asks for it."""
    from allerac.app.hand_over import hand_over_certificate

    settings = _settings()
    hand_over_certificate(settings, arguments.device, _write)
    return 0


def detect(_: argparse.Namespace) -> int:
    """Say what this machine is, which profile fits, which models, and how fast."""
    from allerac.app import read_hardware
    from allerac.hardware.report import describe_machine

    settings = _settings()
    hardware = read_hardware(settings)
    print(describe_machine(hardware.machine, hardware.choice, hardware.profiles))
    return 0


def prove(_: argparse.Namespace) -> int:
    """Keep the system that has just booted if all that worked before works; otherwise go back."""
    with _quick_imports():
        from allerac.logs import log_to_stderr
        from allerac.proving import prove_this_system

    settings = _settings()
    log_to_stderr(settings.log_level)
    return asyncio.run(prove_this_system(settings))


def models(arguments: argparse.Namespace) -> int:
    """List, fetch, verify, remove or import model files."""
    from allerac.app import build_model_service, read_hardware

    settings = _settings()
    service = build_model_service(settings, read_hardware(settings))
    return asyncio.run(_models(service, arguments))


async def _models(service: "ModelService", arguments: argparse.Namespace) -> int:
    from allerac.models.commands import list_models, pull_model, remove_model, verify_model

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


def openapi(arguments: argparse.Namespace) -> int:
    """Write the OpenAPI document, or check that the file is today's."""
    from allerac.app import openapi_document

    settings = _settings()
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
    drawing = commands.add_parser("console", help=console.__doc__)
    drawing.add_argument("--view", type=Path, required=True, help="what the runtime tells")
    drawing.add_argument("--data-dir", type=Path, required=True, help="what the box keeps")
    drawing.add_argument("--burn-in", type=Path, help="what the burn-in tells")
    drawing.set_defaults(run=console)
    vouching = commands.add_parser("certificate", help=certificate.__doc__)
    vouching.add_argument("--data-dir", type=Path, required=True, help="what the box keeps")
    vouching.add_argument("--identity-dir", type=Path, help="what the factory wrote")
    vouching.set_defaults(run=certificate)
    proving_unit = commands.add_parser("burn-in", help=burn_in.__doc__)
    proving_unit.add_argument("--seconds", type=float, help="of inference; default: the tier's")
    proving_unit.add_argument(
        "--memory-mb", type=int, help="to test; default: most of what is free"
    )
    proving_unit.add_argument("--disk-mb", type=int, help="to write and read; default: 1000")
    proving_unit.set_defaults(run=burn_in)
    handing = commands.add_parser("hand-over", help=hand_over.__doc__)
    handing.add_argument("device", type=Path, help="the drive's file system, such as /dev/sda1")
    handing.set_defaults(run=hand_over)
    commands.add_parser("detect", help=detect.__doc__).set_defaults(run=detect)
    commands.add_parser("prove", help=prove.__doc__).set_defaults(run=prove)
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


def _settings() -> "Settings":
    from pydantic import ValidationError

    from allerac.settings import Settings

    try:
        return Settings()
    except ValidationError as error:
        _complain(f"A setting is not right: {error}")
        sys.exit(78)  # EX_CONFIG of sysexits.h


def _write(text: str) -> None:
    print(text, end="" if text.endswith(("\n", "\r")) else "\n", flush=True)


def _complain(text: str) -> None:
    print(text, file=sys.stderr)
