"""A unit's first start without a machine: its own key signs what a burn-in would have found."""

import json
from pathlib import Path
from typing import Any

from allerac.burn_in import sign
from allerac_factory.identity import Pending

from .workshop import Workshop

DESK = ("--operator", "Ben", "--station", "desk-2")


def certificate_of(workshop: Workshop, serial: str, *failures: str) -> dict[str, Any]:
    """Return what the unit `serial` signs, having failed the checks named."""
    names = ("memory", "disk", "inference", *failures)
    body = {
        "serial": serial,
        "passed": not failures,
        "macs": ["7C:83:34:AA:BB:01"],
        "checks": [{"name": name, "passed": name not in failures} for name in dict.fromkeys(names)],
    }
    files = Pending(workshop.records / "pending").files(serial)
    return sign(body, (files / "device.key").read_bytes())


def hand_over(workshop: Workshop, document: dict[str, Any]) -> Path:
    """Put a certificate on the station's USB drive."""
    folder = workshop.folder / "usb" / "allerac-certificates"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{document['certificate']['serial']}-birth-certificate.json"
    path.write_text(json.dumps(document))
    return path


def burn_in(workshop: Workshop, serial: str, *failures: str) -> int:
    """Start the unit and collect its certificate; return the command's exit status."""
    path = hand_over(workshop, certificate_of(workshop, serial, *failures))
    return workshop.do("collect", str(path), *DESK)
