"""What a play did, and what the machine that it made answers."""

import http.client
import json
import re
import socket
from contextlib import closing
from typing import Any

from tests.provisioning.namespaces import inside
from tests.provisioning.own_system import OwnSystem

ANSWER_SECONDS = 60


def changes(log: str) -> int:
    """Return how many tasks of the last play in `log` changed something."""
    (*_, count) = re.findall(r"ok=\d+ +changed=(\d+) +unreachable=0 +failed=0", log)
    return int(count)


def status_of(system: OwnSystem) -> Any:
    """Return what Allerac on a running system says of itself."""
    connection = http.client.HTTPConnection("127.0.0.1", timeout=ANSWER_SECONDS)
    with inside(system.network):
        connection.sock = socket.create_connection(("127.0.0.1", 80), ANSWER_SECONDS)
    with closing(connection):
        connection.request("GET", "/api/v1/status")
        with connection.getresponse() as answer:
            assert answer.status == 200
            return json.loads(answer.read())
