"""`serve` answers requests until it is ended; `act <name>` does an act, as a unit of its own."""

import os
import socket
from collections.abc import Sequence

from allerac_rescue.acts import ACTS, perform
from allerac_rescue.places import Places
from allerac_rescue.programs import run
from allerac_rescue.server import Rescue, RescueServer

FIRST_DESCRIPTOR = 3
"""Where systemd hands in the listening socket, sd_listen_fds(3)."""


def main(words: Sequence[str]) -> int:
    """Run a command and return its exit status."""
    places = Places()
    match list(words):
        case ["serve"] if os.environ.get("LISTEN_FDS") == "1":
            with socket.socket(fileno=FIRST_DESCRIPTOR) as listening:
                RescueServer(listening, Rescue(places, run)).serve_forever()
            return 0
        case ["act", name] if name in ACTS:
            return perform(name, places, run)
    return 64  # EX_USAGE of sysexits.h
