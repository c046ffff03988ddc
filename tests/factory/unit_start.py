"""A unit's first start without a machine: its own key signs what a burn-in would have found."""

import json
from pathlib import Path
from typing import Any

from allerac.burn_in import PartitionKey, sign
from allerac_factory.identity import Pending

from .workshop import Workshop

Document = dict[str, Any]
DESK = ("--operator", "Ben", "--station", "desk-2")


def certificate_of(workshop: Workshop, serial: str, *failures: str, attempt: int = 1) -> Document:
    """Return what the unit `serial` signs at this attempt, having failed the checks named."""
    return signed_by(workshop, serial, body_of(workshop, serial, *failures, attempt=attempt))


def body_of(workshop: Workshop, serial: str, *failures: str, attempt: int = 1) -> Document:
    """Return what the unit `serial` would find, still unsigned."""
    names = ("memory", "disk", "inference", *failures)
    files = Pending(workshop.records / "pending").files(serial)
    return {
        "serial": serial,
        "device_id": (files / "device-id").read_text().strip(),
        "flash_id": (files / "flash-id").read_text().strip(),
        "attempt": attempt,
        "passed": not failures,
        "macs": ["7C:83:34:AA:BB:01"],
        "checks": [{"name": name, "passed": name not in failures} for name in dict.fromkeys(names)],
    }


def signed_by(workshop: Workshop, serial: str, body: dict[str, Any]) -> Document:
    """Return `body` as the unit `serial` signs it."""
    files = Pending(workshop.records / "pending").files(serial)
    return sign(body, PartitionKey.of((files / "device.key").read_bytes()))


def hand_over(workshop: Workshop, document: Document) -> Path:
    """Put a certificate on the station's USB drive."""
    folder = workshop.folder / "usb" / "allerac-certificates"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{document['certificate']['serial']}-birth-certificate.json"
    path.write_text(json.dumps(document))
    return path


def burn_in(workshop: Workshop, serial: str, *failures: str, attempt: int = 1) -> int:
    """Start the unit and collect its certificate; return the command's exit status."""
    path = hand_over(workshop, certificate_of(workshop, serial, *failures, attempt=attempt))
    return workshop.do("collect", str(path), *DESK)
