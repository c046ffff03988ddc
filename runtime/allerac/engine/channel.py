"""The engine process's end of the socket: blocking frames."""

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

from allerac.engine.wire import (
    FRAME_BYTES_LIMIT,
    LENGTH,
    Command,
    Report,
    decode_command,
    encode_report,
)


class Channel:
    """Any thread may send; one reads."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._reader = sock.makefile("rb")
        self._lock = threading.Lock()

    def send(self, report: Report) -> None:
        """Raises OSError when the runtime is gone."""
        frame = encode_report(report)
        with self._lock:
            self._sock.sendall(frame)

    def commands(self) -> Iterator[Command]:
        """Commands until the runtime closes its end, whether it has read every report or not.

        Raises ValueError for a frame that is too large.
        """
        with suppress(ConnectionResetError):  # reports were left unread (unix(7))
            yield from self._read_commands()

    def _read_commands(self) -> Iterator[Command]:
        while len(head := self._reader.read(LENGTH.size)) == LENGTH.size:
            (size,) = LENGTH.unpack(head)
            if size > FRAME_BYTES_LIMIT:
                raise ValueError("frame too large")
            payload = self._reader.read(size)
            if len(payload) < size:
                return
            yield decode_command(payload)
