"""Boxes as tests know them, and how to ask about them until they are as they should be."""

import time
from collections.abc import Callable
from typing import Any

from .conftest import Machine

FIRST: dict[str, Any] = {
    "device_id": "00000000-0000-7000-8000-000000000001",
    "suffix": "7k3f",
    "name": "",
    "claimed": False,
    "version": "0.1.0",
}
SECOND = {**FIRST, "device_id": "00000000-0000-7000-8000-000000000002", "suffix": "m4wd"}
FIRST_OWN, SECOND_OWN = "allerac-7k3f.local", "allerac-m4wd.local"
PATIENCE_SECONDS = 25.0


def wait_until(box: Machine, accept: Callable[[Any], bool]) -> Any:
    """Return the first status that `accept` likes; fails after `PATIENCE_SECONDS`."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        status = box.ask("status")
        if accept(status):
            return status
        time.sleep(0.2)
    raise AssertionError(f"waited in vain, last seen: {box.ask('status')}")


def resolve(listener: Machine, host: str, milliseconds: int = 2000, version: int = 4) -> Any:
    """Return the addresses of `host` in one version of IP."""
    return listener.ask("resolve", host=host, milliseconds=milliseconds, version=version)


def found_at(
    listener: Machine, addresses: list[str], *, host: str = "allerac.local", version: int = 4
) -> bool:
    """Tell whether `host` leads to `addresses` within `PATIENCE_SECONDS`."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while resolve(listener, host, 700, version) != sorted(addresses):
        if time.monotonic() > deadline:
            return False
    return True


def agreed(*boxes: Machine, name: str = "allerac.local") -> list[Any]:
    """Return the statuses of the boxes once all are announced and one alone has the shared name.

    One that has just given a name up has none until it has announced its own anew.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        statuses = [box.ask("status") for box in boxes]
        names = [status["names"] for status in statuses]
        if all(names) and sum(name in some for some in names) == 1:
            return statuses
        time.sleep(0.2)
    raise AssertionError(f"no agreement on one owner of {name}")


def is_well(status: Any) -> bool:
    """Tell whether a box has tested its names and found them to lead to it."""
    return bool(status["self_test"] and status["self_test"]["ok"])


def claimed(identity: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the identity of a box that a household has called `name`."""
    return {**identity, "name": name, "claimed": True}
