"""QEMU's machine protocol (QMP): one JSON object a line, events in between."""

import json
import socket
from typing import Any

SECONDS = 30.0


class Monitor:
    """The client's end of a connected socket. Errors of the connection are `OSError`."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._lines = connection.makefile("rb")

    def greet(self, seconds: float) -> None:
        """Wait for QEMU's greeting and open the conversation."""
        self._connection.settimeout(seconds)
        self._read()
        self.execute("qmp_capabilities")

    def execute(self, command: str, seconds: float = SECONDS, **arguments: Any) -> Any:
        """Carry out `command` and return its result; `OSError` when QEMU refuses."""
        self._connection.settimeout(seconds)
        order = {"execute": command, "arguments": arguments}
        self._connection.sendall(json.dumps(order).encode() + b"\n")
        while True:
            answer = self._read()
            if "return" in answer:
                return answer["return"]
            if "error" in answer:
                raise OSError(f"QEMU refused {command}: {answer['error']['desc']}")

    def _read(self) -> dict[str, Any]:
        line = self._lines.readline()
        if not line:
            raise ConnectionResetError("QEMU closed its monitor")
        message: dict[str, Any] = json.loads(line)
        return message

    def close(self) -> None:
        """Hang up."""
        self._lines.close()
        self._connection.close()
