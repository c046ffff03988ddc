"""The commands for what follows the drives: one parser and one function for each."""

import argparse
import asyncio
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import chain
from pathlib import Path

from allerac_image.errors import BadInput
from allerac_image.log import say

from .certificate import checks_in, read_certificates
from .desk import Desk
from .findings import as_csv, as_json, find_units, problems
from .history import RELEASED
from .identity import Pending
from .ledger import Ledger
from .nearby import Announced, announced_at, fetch_certificate, units_on_network
from .report import as_html
from .table import columns

RECORDS = Path("factory-records")
LEDGER = "ledger.sqlite"
PENDING = "pending"
LABELS = "labels"
LISTEN_SECONDS = 5.0

Take = Callable[[], str]
"""Takes in one certificate and says how that unit did."""


def add_desk_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add every command of the desk."""

    def command(
        name: str, run: Callable[[argparse.Namespace], int], purpose: str, *, writes: bool = False
    ) -> argparse.ArgumentParser:
        parser = commands.add_parser(name, help=purpose)
        parser.set_defaults(command=run)
        add_records(parser)
        if writes:
            parser.add_argument("--operator", required=True)
            parser.add_argument("--station", required=True)
        return parser

    _add_collect(command("collect", _collect, "take in birth certificates", writes=True))
    labelled = command("label", _label, "write labels as PDF and ZPL", writes=True)
    labelled.add_argument("serial", nargs="*", help="default: every good unit without one")
    scanned = command("scan", _scan, "compare labels with their units, release", writes=True)
    scanned.add_argument("text", nargs="*", help="default: one line for each, from the scanner")
    revoked = command("revoke", _revoke, "take a unit out of use for good", writes=True)
    revoked.add_argument("serial")
    revoked.add_argument("--reason", required=True)
    back = command(
        "return", _return, "let a unit keep its identity when it is written", writes=True
    )
    back.add_argument("drive", type=Path)
    shown = command("show", _show, "the life of a unit, or what its drive says of it")
    shown.add_argument("unit", help="a serial; with a slash: a drive, a folder or a file")
    found = command("find", _find, "units by serial, scanned code, drive or MAC")
    found.add_argument("text")
    reported = command("report", _report, "numbers, chart and units as a web page")
    reported.add_argument("file", type=Path)
    exported = command("export", _export, "the ledger as CSV or JSON")
    exported.add_argument("file", type=Path, help="ends in .csv or .json")
    checked = command("verify", _verify, "prove that nothing was altered")
    checked.add_argument("--head", default="", help="what verify printed last time")


def _add_collect(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "source", type=Path, nargs="*", help="a file, a USB drive's folder, or a unit's drive"
    )
    parser.add_argument(
        "--network", action="store_true", help="from every unit that is found on the network"
    )
    parser.add_argument(
        "--seconds", type=float, default=LISTEN_SECONDS, help="to listen for units; default: 5"
    )
    parser.add_argument(
        "--address", action="append", default=[], help="from the unit at this address"
    )


def add_records(parser: argparse.ArgumentParser) -> None:
    """Let the person say where the station's records lie."""
    parser.add_argument("--records", type=Path, default=RECORDS, metavar="DIR")


@contextmanager
def _ledger(options: argparse.Namespace) -> Iterator[Ledger]:
    path = options.records / LEDGER
    if not path.is_file():
        raise BadInput(f"There is no ledger at {path}: name the station's folder by --records.")
    ledger = Ledger(path, getattr(options, "operator", ""), getattr(options, "station", ""))
    try:
        yield ledger
    finally:
        ledger.close()


@contextmanager
def _desk(options: argparse.Namespace) -> Iterator[Desk]:
    with _ledger(options) as ledger:
        yield Desk(ledger, Pending(options.records / PENDING), options.records / LABELS)


def _collect(options: argparse.Namespace) -> int:
    if not (options.source or options.network or options.address):
        raise BadInput("Name a source, or --network, or --address.")
    with _desk(options) as desk:
        refused = 0
        for take in chain(
            _handed_over(desk, options.source),
            _at_addresses(desk, options.address),
            _on_network(desk, options.seconds) if options.network else (),
        ):
            try:
                say(take())
            except BadInput as error:
                refused += 1
                sys.stderr.write(f"{error}\n")
    return 1 if refused else 0


def _handed_over(desk: Desk, sources: Iterable[Path]) -> Iterator[Take]:
    for source in sources:
        for document in read_certificates(source):
            yield partial(desk.collect, document)


def _at_addresses(desk: Desk, addresses: Iterable[str]) -> Iterator[Take]:
    for address in addresses:
        yield partial(_ask, desk, announced_at(address), "")


def _on_network(desk: Desk, seconds: float) -> Iterator[Take]:
    """Yield what asks each unit of this ledger that is not released yet."""
    found = asyncio.run(units_on_network(seconds))
    if not found:
        say(f"No unit was found within {seconds:g} s.")
    for announced in found:
        unit = desk.unit_of(announced.device_id)
        if unit is None:
            say(f"{announced.device_id} at {', '.join(announced.addresses)}: not of this ledger")
        elif RELEASED not in unit.acts:
            yield partial(_ask, desk, announced, unit.serial)


def _ask(desk: Desk, unit: Announced, serial: str) -> str:
    return desk.collect(asyncio.run(fetch_certificate(unit)), serial)


def _label(options: argparse.Namespace) -> int:
    with _desk(options) as desk:
        serials = options.serial or desk.waiting_for_label(desk.units().values())
        for serial in serials:
            say(str(desk.label(serial)))
    if not serials:
        say("No good unit is without a label.")
    return 0


def _scan(options: argparse.Namespace) -> int:
    refused = 0
    with _desk(options) as desk:
        for text in options.text or sys.stdin:
            try:
                say(f"{desk.scan(text)} is released.")
            except BadInput as error:
                refused += 1
                sys.stderr.write(f"{error}\n")
    return 1 if refused else 0


def _revoke(options: argparse.Namespace) -> int:
    with _desk(options) as desk:
        desk.revoke(options.serial, options.reason)
    say(f"{options.serial} is revoked.")
    return 0


def _return(options: argparse.Namespace) -> int:
    with _desk(options) as desk:
        serial = desk.take_back(options.drive)
    say(f"{serial} keeps its identity: write its drive by a job, with --give-up {serial[-4:]}.")
    return 0


def _show(options: argparse.Namespace) -> int:
    with _desk(options) as desk:
        if "/" not in options.unit:
            for line in desk.record(options.unit):
                say(line)
            return 0
        for document in read_certificates(Path(options.unit)):
            say(desk.proof(document))
            for line in checks_in(document):
                say(line)
    return 0


def _find(options: argparse.Namespace) -> int:
    with _ledger(options) as ledger:
        units = find_units(ledger, options.text)
    if not units:
        say("The ledger knows no such unit.")
        return 1
    rows = [(unit.serial, unit.batch, unit.drive, unit.stage) for unit in units]
    for line in columns([("SERIAL", "BATCH", "DRIVE", "STANDS AT"), *rows]):
        say(line)
    return 0


def _report(options: argparse.Namespace) -> int:
    with _ledger(options) as ledger:
        options.file.write_text(as_html(list(ledger.acts()), problems(ledger)), "utf-8")
    say(str(options.file))
    return 0


def _export(options: argparse.Namespace) -> int:
    forms = {".csv": as_csv, ".json": as_json}
    form = forms.get(options.file.suffix)
    if form is None:
        raise BadInput(f"{options.file} ends neither in .csv nor in .json.")
    with _ledger(options) as ledger:
        options.file.write_text(form(ledger.acts()), "utf-8", newline="")
    say(str(options.file))
    return 0


def _verify(options: argparse.Namespace) -> int:
    with _ledger(options) as ledger:
        found, head = problems(ledger, options.head), ledger.head()
    for problem in found:
        sys.stderr.write(f"{problem}\n")
    if not found:
        say(f"Nothing was altered. Head: {head}")
    return 1 if found else 0
