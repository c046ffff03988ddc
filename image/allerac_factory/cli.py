"""The command line of a station; docs/factory.md says in what order."""

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from allerac_image.checksums import sign_checksums
from allerac_image.errors import ImageError
from allerac_image.log import say
from allerac_release.files import alone
from allerac_release.passphrases import Passphrases

from .claim_codes import OWASP, Effort
from .contents import look_at
from .desk_commands import add_desk_commands, add_records
from .drives import Drives, SystemDrives
from .dry_run import preview, refused
from .history import issued
from .identity import Pending
from .image_set import ImageSet, open_image
from .job import Job, read_job
from .ledger import Ledger
from .plan import Assignment, Needs, Planner
from .practice import PracticeDrives
from .preload import find_models
from .progress import Reporter
from .station import Station
from .unpacked import UnpackedImages

CACHE = Path("factory-cache")
INTERRUPTED = 130
MIB = 1 << 20


def main(arguments: Sequence[str], effort: Effort = OWASP) -> int:
    """Do what the command line says; return the exit status: 2 for what cannot be asked.

    Hashes of new codes take `effort`.
    """
    options = _parser().parse_args(arguments, argparse.Namespace(effort=effort))
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return int(options.command(options))
    except ImageError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_status
    except KeyboardInterrupt:
        sys.stderr.write("\nInterrupted. The same command goes on; finished units stay.\n")
        return INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="allerac-factory", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    made = commands.add_parser("flash", help="write the drives of a job")
    made.set_defaults(command=_flash)
    made.add_argument("job", type=Path)
    made.add_argument("--dry-run", action="store_true", help="show what would happen")
    made.add_argument(
        "--give-up",
        metavar="XXXX",
        action="append",
        default=[],
        help="last four signs of a claimed unit's serial: its data goes for good",
    )
    made.add_argument("--practice", type=Path, metavar="DIR", help="files stand in for drives")
    made.add_argument(
        "--cache", type=Path, default=CACHE, metavar="DIR", help="where images are unpacked to"
    )
    add_records(made)
    add_desk_commands(commands)
    signed = commands.add_parser("sign", help="vouch for the image in a folder")
    signed.set_defaults(command=_sign)
    signed.add_argument("folder", type=Path)
    signed.add_argument("--certificate", type=Path, required=True)
    signed.add_argument("--key", type=Path, required=True)
    signed.add_argument("--passphrase-file", type=Path, metavar="FILE")
    return parser


def _flash(options: argparse.Namespace) -> int:
    with alone(options.records):
        return _flash_alone(options)


def _flash_alone(options: argparse.Namespace) -> int:
    job = read_job(options.job)
    image = open_image(job.image, job.tier, job.trust)
    models = find_models(job.model_cache, job.preloaded) if job.model_cache else []
    drives: Drives = PracticeDrives(options.practice) if options.practice else SystemDrives()
    ledger = Ledger(options.records / "ledger.sqlite", job.operator, job.station)
    needs = _needs(job, image, sum(model.size_bytes for model in models))
    found = drives.find()
    assignments = Planner(
        job,
        needs,
        issued(ledger, job.batch),
        lambda drive: look_at(drive.path),
        options.give_up,
    ).plan(found)
    if options.dry_run:
        for line in preview(assignments, found):
            say(line)
        return 0
    for line in refused(assignments):
        say(f"✗ {line}")
    if not any(one.is_accepted for one in assignments):
        say("There is nothing to write.")
    reporter = Reporter()
    station = Station(
        batch=job.batch,
        wanted={"tier": job.tier, "burn_in": job.burn_in},
        image=image,
        unpacked=UnpackedImages(options.cache, reporter.unpacking),
        models=models,
        drives=drives,
        ledger=ledger,
        pending=Pending(options.records / "pending", options.effort),
        tell=reporter,
    )
    return _outcome(assignments, [unit.failure for unit in station.flash(assignments)])


def _needs(job: Job, image: ImageSet, model_bytes: int) -> Needs:
    """Return the least that a drive must have: the tier's partitions, or image and models."""
    disk = job.profile.disk
    slots = 2 * (disk["boot_slot_bytes"] + disk["root_slot_bytes"])
    tier = disk["esp_bytes"] + slots + disk["identity_bytes"] + disk["data_min_bytes"]
    return Needs(max(tier + 2 * MIB, image.blocks.image_bytes + model_bytes), image.sector_bytes)


def _outcome(assignments: Sequence[Assignment], failures: Sequence[ImageError | None]) -> int:
    lost = sum(failure is not None for failure in failures)
    left_alone = sum(not (one.is_accepted or one.is_finished) for one in assignments)
    return 1 if lost or left_alone else 0


def _sign(options: argparse.Namespace) -> int:
    phrase = b""
    if options.passphrase_file is not None:
        phrase = Passphrases(options.passphrase_file).of(options.folder)
    sign_checksums(options.folder, options.certificate, options.key, phrase)
    say(f"{options.folder} is signed; stations that trust its authority write it.")
    return 0
