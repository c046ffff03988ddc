"""What is done to a unit after its drive: certificate, label, scan, release, return."""

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from allerac_image.errors import BadInput
from allerac_image.plan import PROFILES
from allerac_image.tier import load_tier

from .certificate import (
    UNPROVEN,
    Certificate,
    key_of,
    place_of,
    printable,
    verify_certificate,
)
from .contents import serial_on, table_of
from .file_system import Ext4
from .findings import find_units
from .history import (
    BURNED_IN,
    LABELLED,
    READY,
    RELEASED,
    RETURNED,
    REVOKED,
    SCAN_REFUSED,
    SCANNED,
    UnitHistory,
    histories,
)
from .identity import Pending, fingerprint_of
from .label import Label
from .label_pdf import as_pdf
from .label_zpl import as_zpl
from .ledger import Ledger

PRIVATE = 0o600
LABEL_KINDS = (".pdf", ".zpl")
SCHEME = "https://"
"""Which a keyboard of another language makes something else of."""


class Desk:
    """Works on the records of one station: ledger, pending identities, labels."""

    def __init__(self, ledger: Ledger, pending: Pending, labels: Path) -> None:
        self._ledger = ledger
        self._pending = pending
        self._labels = labels

    def units(self) -> dict[str, UnitHistory]:
        """Return every unit by its serial."""
        return histories(self._ledger.acts())

    def unit(self, serial: str) -> UnitHistory:
        """Return one unit; raise `BadInput` when the ledger does not know it."""
        found = self.units().get(serial)
        if found is None:
            raise BadInput(f"The ledger does not know {serial}.")
        return found

    def collect(self, document: Certificate, expected: str = "") -> str:
        """Take in a birth certificate and say how the unit did.

        `expected` is the serial of the unit that was asked for it, if that is known. Raises
        `BadInput` when the unit is unknown or another one, did not sign it, or signed it for an
        earlier writing of its drive or before the one that is known.
        """
        serial = str(document["certificate"]["serial"])
        if expected and serial != expected:
            raise BadInput(f"{expected} answered with the certificate of {serial}.")
        unit = self.unit(serial)
        given = str(unit.facts["device_pub"]).encode()
        try:
            body = verify_certificate(document, given)
        except UNPROVEN as error:
            raise BadInput(f"The certificate is not signed by {serial}.") from error
        if unit.facts.get("certificate") == document:
            return f"{serial}: known already"
        if problem := _staleness(body, unit):
            raise BadInput(f"The certificate of {serial} {problem}.")
        failures = [str(check["name"]) for check in body["checks"] if not check["passed"]]
        self._ledger.add(
            BURNED_IN,
            batch=unit.batch,
            unit=serial,
            observed={
                "passed": bool(body["passed"]) and not failures,
                "failures": failures,
                "mac": next(iter(body.get("macs", [])), ""),
                "key_place": place_of(document),
                "key_fingerprint": fingerprint_of(key_of(document, given)),
                "certificate": dict(document),
            },
        )
        return f"{serial}: {'failed: ' + ', '.join(failures) if failures else 'passed'}"

    def unit_of(self, device_id: str) -> UnitHistory | None:
        """Return the unit with this device id, None when it is not of this ledger."""
        named = (unit for unit in self.units().values() if unit.facts.get("device_id") == device_id)
        return next(named, None)

    def label(self, serial: str) -> Path:
        """Write the label of a good unit as PDF and ZPL and return the PDF; `BadInput` if not good.

        A label printed again has the same contents: the code of a unit does not change.
        """
        unit = self._good(serial)
        label = self._label_of(unit)
        if not label.identity.claim_code:
            raise BadInput(f"{serial} came back and keeps the label that it has.")
        self._labels.mkdir(parents=True, exist_ok=True, mode=0o700)
        pdf = self._labels / f"{serial}.pdf"
        _write(pdf, as_pdf(label))
        _write(self._labels / f"{serial}.zpl", as_zpl(label).encode())
        self._ledger.add(
            LABELLED,
            batch=unit.batch,
            unit=serial,
            intended={"address": label.identity.address, "key": label.identity.fingerprint},
            observed={"file": pdf.name},
        )
        return pdf

    def scan(self, text: str) -> str:
        """Compare what a label says with its unit; if equal, release the unit, forget its code.

        Returns the serial. Raises `BadInput`, and writes it down, when they differ.
        """
        text = text.strip()
        found = find_units(self._ledger, text)
        if not found and not text.startswith(SCHEME):
            raise BadInput(
                "That is no label, or the scanner types for another keyboard: set it to the "
                "language of this machine's."
            )
        if len(found) != 1:
            raise BadInput("The ledger knows no unit with this label.")
        unit = self._good(found[0].serial)
        if RELEASED in unit.acts:
            if RETURNED not in unit.acts:  # a station that was killed has not forgotten yet
                self._forget(unit.serial)
            raise BadInput(f"{unit.serial} is released already.")
        if not self._is_label(unit, text):
            self._ledger.add(SCAN_REFUSED, batch=unit.batch, unit=unit.serial)
            raise BadInput(
                f"This is not the label of {unit.serial}. Print it again; keep the unit."
            )
        for act in (SCANNED, RELEASED):
            self._ledger.add(act, batch=unit.batch, unit=unit.serial)
        self._forget(unit.serial)
        return unit.serial

    def take_back(self, drive: Path) -> str:
        """Read a unit's identity from its drive, so that the next job writes it with the same one.

        Returns its serial. Raises `ImageError` when the drive holds no identity.
        """
        table = table_of(drive)
        if table is None:
            raise BadInput(f"{drive} holds no Allerac.")
        serial = serial_on(drive, table)
        unit = self.unit(serial)
        with TemporaryDirectory(prefix="allerac-factory-") as folder:
            Ext4(drive, table.partition("identity").offset).copy_out("/", Path(folder))
            self._pending.adopt(serial, Path(folder))
        self._ledger.add(RETURNED, batch=unit.batch, unit=serial)
        return serial

    def revoke(self, serial: str, reason: str) -> None:
        """Take a unit out of use; its serial is never given again."""
        unit = self.unit(serial)
        self._ledger.add(
            REVOKED, batch=unit.batch, unit=serial, observed={"revoked_because": reason}
        )
        self._forget(serial)

    def record(self, serial: str) -> Iterator[str]:
        """Yield the life of a unit, a line for each act."""
        self.unit(serial)
        for act in self._ledger.acts(unit=serial):
            told = {key: value for key, value in act.observed.items() if key not in LONG}
            facts = json.dumps(told, ensure_ascii=False) if told else ""
            yield f"{act.at}  {act.operator} at {act.station}  {act.act}  {facts}".rstrip()

    def proof(self, document: Certificate) -> str:
        """Say whose certificate this is, how the unit did, and who says so."""
        serial = str(document["certificate"]["serial"])
        unit = self.units().get(serial)
        if unit is None:
            signed = "this ledger does not know the unit"
        else:
            try:
                verify_certificate(document, str(unit.facts.get("device_pub", "")).encode())
                signed = "signed by the unit"
            except UNPROVEN:
                signed = "NOT signed by the unit"
        body = document["certificate"]
        verdict = "passed" if body.get("passed") else "failed"
        told = f"{serial}, {body.get('profile')}, {body.get('ended_at')}: {verdict}; {signed}"
        return printable(told)

    def waiting_for_label(self, units: Iterable[UnitHistory]) -> list[str]:
        """Return the serials of good units without a label."""
        return [u.serial for u in units if not _fault(u) and LABELLED not in u.acts]

    def _forget(self, serial: str) -> None:
        """Remove what has the unit's claim code or key; what is gone already is no fault."""
        for kind in LABEL_KINDS:
            (self._labels / f"{serial}{kind}").unlink(missing_ok=True)
        self._pending.forget(serial)

    def _good(self, serial: str) -> UnitHistory:
        unit = self.unit(serial)
        if fault := _fault(unit):
            raise BadInput(f"{serial} {fault}.")
        return unit

    def _is_label(self, unit: UnitHistory, text: str) -> bool:
        label = self._label_of(unit)
        if not label.identity.claim_code:  # it came back and keeps its label
            code = Label.code_in(text)
            whole = replace(label, identity=replace(label.identity, claim_code=code))
            return text == whole.scanned and self._pending.is_code(unit.serial, code)
        if LABELLED not in unit.acts:
            raise BadInput(f"{unit.serial} has no label yet.")
        return text == label.scanned

    def _label_of(self, unit: UnitHistory) -> Label:
        try:
            identity = self._pending.read(unit.serial)
        except FileNotFoundError as error:
            raise BadInput(
                f"The claim code of {unit.serial} was forgotten when it was released; "
                "without its label it needs a new identity."
            ) from error
        # The unit may have made itself another key in its TPM.
        identity = replace(identity, fingerprint=str(unit.facts["key_fingerprint"]))
        tier = str(unit.wanted["tier"])
        product = str(load_tier(tier, PROFILES).profile["product"])
        return Label(f"Allerac {product}", tier, identity, str(unit.facts.get("mac", "")))


LONG = {"certificate", "device_pub", "parts"}
"""Facts that are shown by `export` only."""


def _staleness(body: Certificate, unit: UnitHistory) -> str:
    """Return why a signed certificate is not of now, nothing for one that is."""
    if body.get("device_id") != unit.facts.get("device_id"):
        return "is of a unit with another device id"
    if body.get("flash_id") != unit.facts.get("flash_id"):
        return "is from before its drive was last written"
    known = unit.facts.get("certificate")
    if known and body.get("attempt", 0) <= known["certificate"].get("attempt", 0):
        return "is older than the one that is known"
    return ""


def _fault(unit: UnitHistory) -> str:
    """Return why a unit gets no label, nothing for a good one."""
    if REVOKED in unit.acts:
        return "was revoked"
    if READY not in unit.acts:
        return f"is not finished: {unit.facts.get('cause', unit.stage)}"
    if unit.wanted.get("burn_in") and unit.has_passed is None:
        return "has not been through its burn-in"
    if unit.has_passed is False:
        return f"failed its burn-in: {', '.join(unit.facts['failures'])}"
    return ""


def _write(path: Path, content: bytes) -> None:
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
