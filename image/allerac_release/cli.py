"""The command line of the release tool; docs/releasing.md says in what order."""

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from allerac_image.errors import BadInput, ImageError
from allerac_image.log import say
from allerac_image.plan import PROFILES
from allerac_image.tier import load_tier

from .desk import Desk, Publication
from .evidence import read_evidence
from .keys import KeyFolders
from .new_keys import NewKeys, make_keys, renew_certificates
from .notes import read_notes
from .overview import overview_of
from .passphrases import Passphrases
from .release import Release
from .repository import Repository, utc_now
from .roles import CHANNELS
from .rotation import rotate
from .verification import problems_of

INTERRUPTED = 130
REPEAT = "Boxes see a change whole or not at all: repeat it."

FIRST_PERCENTAGE = 10
"""Of the boxes that take a stable release first."""


def main(arguments: Sequence[str]) -> int:
    """Do what the command line says; return the exit status: 2 for what cannot be asked."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.command(options))
    except ImageError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_status
    except OSError as error:
        sys.stderr.write(f"{error.filename or 'The disk'}: {error.strerror}. {REPEAT}\n")
        return ImageError.exit_status
    except KeyboardInterrupt:
        sys.stderr.write(f"\nInterrupted. {REPEAT}\n")
        return INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="allerac_release", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    made = commands.add_parser("keys", help="make a folder of keys, or renew its certificates")
    made.set_defaults(command=_keys)
    made.add_argument("folder", type=Path, metavar="DIR")
    made.add_argument("--bundles-of", type=Path, metavar="DIR", help="take over its RAUC keys")
    made.add_argument("--renew-certificates", action="store_true")
    _add_passphrase(made)
    new = _changing(commands, "publish", _publish, "offer a bundle")
    new.add_argument("bundle", type=Path)
    new.add_argument("--tier", required=True)
    new.add_argument("--notes", type=Path, required=True, help="YAML: en and de")
    new.add_argument("--channel", choices=CHANNELS, default=CHANNELS[0])
    new.add_argument("--percentage", type=int, default=100, help="default: 100")
    new.add_argument("--minimum", metavar="VERSION", help="least version that may take it")
    new.add_argument("--built-by", type=Path, action="append", default=[], metavar="CA.CRT")
    new.add_argument("--evidence", type=Path, metavar="TABLE", help="what this image survived")
    new.add_argument("--despite", metavar="REASON", help="why it is offered with gaps in it")
    _of_a_version(_changing(commands, "promote", _promote, "from beta to stable")).add_argument(
        "--percentage", type=int, default=FIRST_PERCENTAGE, help=f"default: {FIRST_PERCENTAGE}"
    )
    share = _of_a_version(_changing(commands, "rollout", _rollout, "set the share of boxes"))
    share.add_argument("percentage", type=int)
    _of_a_version(_changing(commands, "halt", _halt, "offer it to nobody for now"))
    _of_a_version(_changing(commands, "resume", _resume, "offer a halted one again"))
    least = _of_a_version(_changing(commands, "minimum", _minimum, "set who may take it"))
    least.add_argument("least", metavar="LEAST")
    _of_a_version(_changing(commands, "revoke", _revoke, "take it back for good"))
    again = _changing(commands, "refresh", _refresh, "sign snapshot and timestamp anew")
    again.add_argument("--targets", action="store_true", help="the targets as well")
    turned = _changing(commands, "rotate", _rotate, "renew the root, or change its keys")
    turned.add_argument("--to", type=Path, metavar="DIR", help="keys that replace the others")
    shown = commands.add_parser("show", help="what is offered, and what ends soon")
    shown.set_defaults(command=_show)
    _add_repository(shown)
    shown.add_argument("--json", action="store_true")
    checked = commands.add_parser("verify", help="judge all of it as a box does")
    checked.set_defaults(command=_verify)
    _add_repository(checked)
    checked.add_argument("--trust", type=Path, required=True, metavar="DIR")
    return parser


def _changing(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    command: object,
    purpose: str,
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=purpose)
    parser.set_defaults(command=command)
    _add_repository(parser)
    parser.add_argument("--keys", type=Path, action="append", required=True, metavar="DIR")
    _add_passphrase(parser)
    return parser


def _of_a_version(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument("version")
    parser.add_argument("--tier", help="default: every tier that has it")
    return parser


def _add_repository(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--repository", type=Path, required=True, metavar="DIR")


def _add_passphrase(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--passphrase-file", type=Path, metavar="FILE")
    parser.add_argument("--development", action="store_true", help="with keys that never ship")


def _keys(options: argparse.Namespace) -> int:
    passphrases = Passphrases(options.passphrase_file)
    if options.renew_certificates:
        renew_certificates(options.folder, passphrases)
        say(f"New certificates in {options.folder}; they sign what is published from now on.")
        return 0
    wanted = NewKeys(options.folder, options.development, options.bundles_of)
    make_keys(wanted, passphrases, utc_now())
    say(f"Keys in {options.folder}. Images carry {options.folder / 'trust'}.")
    return 0


def _publish(options: argparse.Namespace) -> int:
    wanted = Publication(
        bundle=options.bundle,
        tier=load_tier(options.tier, PROFILES).id,
        channel=options.channel,
        percentage=options.percentage,
        minimum=options.minimum,
        notes=read_notes(options.notes),
        built_by=options.built_by,
        evidence=read_evidence(options.evidence, options.despite),
    )
    return _tell(options, [_desk(options).publish(wanted)])


def _promote(options: argparse.Namespace) -> int:
    desk = _desk(options)
    return _tell(options, desk.promote(options.version, options.tier, options.percentage))


def _rollout(options: argparse.Namespace) -> int:
    return _change(options, percentage=options.percentage)


def _halt(options: argparse.Namespace) -> int:
    return _change(options, halted=True)


def _resume(options: argparse.Namespace) -> int:
    return _change(options, halted=False)


def _minimum(options: argparse.Namespace) -> int:
    return _change(options, minimum_version=options.least)


def _change(options: argparse.Namespace, **fields: object) -> int:
    return _tell(options, _desk(options).change(options.version, options.tier, **fields))


def _revoke(options: argparse.Namespace) -> int:
    for release in _desk(options).revoke(options.version, options.tier):
        say(f"{release.version} for {release.tier} is taken back.")
    return 0


def _refresh(options: argparse.Namespace) -> int:
    _desk(options).refresh(targets=options.targets)
    return _tell(options, [])


def _rotate(options: argparse.Namespace) -> int:
    version = rotate(
        _repository(options),
        options.keys,
        options.to,
        Passphrases(options.passphrase_file),
        development=options.development,
    )
    say(f"Root {version} is in place; boxes follow it from any earlier one.")
    return 0


def _show(options: argparse.Namespace) -> int:
    overview = overview_of(_repository(options))
    if options.json:
        say(json.dumps(overview.as_json(), indent=2))
        return 0
    for line in overview.lines():
        say(line)
    _warn(overview.warnings())
    return 0


def _verify(options: argparse.Namespace) -> int:
    problems = list(problems_of(_repository(options), options.trust))
    _warn(problems)
    if not problems:
        say("A box believes all of it.")
    return 1 if problems else 0


def _repository(options: argparse.Namespace) -> Repository:
    return Repository(options.repository)


def _desk(options: argparse.Namespace) -> Desk:
    keys = KeyFolders(options.keys, Passphrases(options.passphrase_file))
    return Desk(_repository(options), keys, development=options.development)


def _tell(options: argparse.Namespace, releases: Iterable[Release]) -> int:
    for release in releases:
        halted = ", halted" if release.halted else ""
        say(
            f"{release.version} for {release.tier}: {release.channel}, {release.percentage} %"
            f"{halted}, from {release.minimum_version} on."
        )
    try:
        _warn(overview_of(_repository(options)).warnings())
    except BadInput as error:  # what was asked for is done
        _warn([str(error)])
    return 0


def _warn(lines: Iterable[str]) -> None:
    for line in lines:
        sys.stderr.write(f"{line}\n")
