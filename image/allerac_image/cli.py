"""The command line: `build` an image, start it as a `vm`, `release` it, `compare` two."""

import argparse
import signal
from collections.abc import Sequence
from pathlib import Path

from allerac_release.cli import main as release
from allerac_release.development import development_trust
from allerac_release.trust import accept_trust
from bootstrap.steps import cache_folder

from . import install, vm
from .build import build
from .compare import compare
from .errors import BadInput, ImageError
from .log import say
from .pipeline import run_step, step_called
from .plan import PROFILES, REPOSITORY, Plan
from .source import read_source
from .tier import load_tier

INTERRUPTED = 130
DEVELOPMENT_KEYS = "development-keys"


def main(arguments: Sequence[str]) -> int:
    """Do what the command line says; return the exit status: 2 for what cannot be asked."""
    if arguments[:1] == ["release"]:
        return release(arguments[1:])
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return int(options.command(options))
    except ImageError as error:
        say(str(error))
        return error.exit_status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="allerac_image", description=__doc__)
    commands = parser.add_subparsers(required=True)
    made = commands.add_parser("build", help="make the image of a tier")
    made.set_defaults(command=_build)
    made.add_argument("--tier", required=True)
    made.add_argument("--models", choices=["none", "preload"], default="none")
    made.add_argument("--out", type=Path, help="default: out/<tier>")
    made.add_argument("--work", type=Path, help="default: .build/image/<tier>")
    made.add_argument("--keys", type=Path, help="folder of the keys that sign the bundle")
    made.add_argument(
        "--trust",
        type=Path,
        metavar="DIR",
        help="whom its boxes believe: the folder `trust` of keys",
    )
    made.add_argument("--updates-from", default="", metavar="URL", help="default: drives only")
    made.add_argument("--release", action="store_true", help="refuse development keys")
    made.add_argument("--playbook", type=Path, default=REPOSITORY / "provisioning" / "site.yml")
    made.add_argument("--sector-bytes", type=int, choices=[512, 4096], default=512)
    made.add_argument("--keep-raw", action="store_true", help="keep the uncompressed disk too")
    one = commands.add_parser("step", help="one step of a build under way; Packer calls it")
    one.set_defaults(command=_step)
    one.add_argument("--plan", type=Path, required=True)
    one.add_argument("name")
    machine = commands.add_parser("vm", help="start an image on this machine, in QEMU")
    machine.set_defaults(command=vm.run)
    vm.add_arguments(machine)
    commands.add_parser("release", help="offer bundles to boxes; docs/releasing.md")
    existing = commands.add_parser("install", help="make an Allerac of a Debian machine")
    existing.set_defaults(command=install.run)
    install.add_arguments(existing)
    two = commands.add_parser("compare", help="say in what two builds differ")
    two.set_defaults(command=_compare)
    two.add_argument("first", type=Path)
    two.add_argument("second", type=Path)
    return parser


def _build(options: argparse.Namespace) -> int:
    plan = _plan(options)
    try:
        build(plan)
    except KeyboardInterrupt:
        say(f"\nInterrupted. {plan.out} is as it was.")
        return INTERRUPTED
    return 0


def _plan(options: argparse.Namespace) -> Plan:
    tier = load_tier(options.tier, PROFILES)
    source = read_source(REPOSITORY)
    cache = cache_folder()
    return Plan(
        tier_id=tier.id,
        version=source.version,
        commit=source.commit,
        epoch=source.epoch,
        work=(options.work or REPOSITORY / ".build" / "image" / tier.id).resolve(),
        out=(options.out or REPOSITORY / "out" / tier.id).resolve(),
        cache=cache,
        keys=(options.keys or cache / "keys").resolve(),
        trust=_trust(options, cache),
        updates_from=options.updates_from,
        ansible=REPOSITORY / ".venv-image" / "bin" / "ansible-playbook",
        playbook=options.playbook.resolve(),
        preload=options.models == "preload",
        keep_raw=options.keep_raw,
        sector_bytes=options.sector_bytes,
    )


def _trust(options: argparse.Namespace, cache: Path) -> Path:
    """Return the folder of whom boxes believe; development keys are made when none is named."""
    if options.trust is not None:
        accept_trust(options.trust, release=options.release)
        return Path(options.trust).resolve()
    if options.release:
        raise BadInput("A release names whom its boxes believe: --trust KEYS/trust.")
    return development_trust(cache / DEVELOPMENT_KEYS).resolve()


def _step(options: argparse.Namespace) -> int:
    try:
        run_step(step_called(options.name), Plan.load(options.plan))
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


def _compare(options: argparse.Namespace) -> int:
    differences = compare(options.first, options.second)
    for difference in differences:
        say(difference)
    say(f"{len(differences)} differences." if differences else "The same bytes.")
    return 1 if differences else 0
