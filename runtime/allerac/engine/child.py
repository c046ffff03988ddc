"""The engine process: `python -m allerac.engine.child FD PARENT_PID`.

Isolates itself, takes the one `Load` command and serves that model until the socket closes.
llama.cpp, numpy and the template engine are imported after the first heartbeat.
"""

import faulthandler
import os
import socket
import sys
import threading
import traceback
from collections.abc import Callable
from typing import Final

from allerac.engine.channel import Channel
from allerac.engine.isolation import isolate, limit_memory
from allerac.engine.protocol import Speed
from allerac.engine.wire import Beat, Load, LoadFailed
from allerac.errors import AlleracError

BEAT_SECONDS: Final = 1.0
EXIT_BROKEN: Final = 70  # EX_SOFTWARE of sysexits.h


class Heart:
    """Beats while the process waits, loads, or moves from step to step; a stuck step stops it."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._ended = threading.Event()
        self.is_alive: Callable[[], bool] = lambda: True
        self.speed: Callable[[], Speed] = Speed
        self._thread = threading.Thread(target=self._run, name="heart", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(BEAT_SECONDS):
            if self.is_alive():
                try:
                    self._channel.send(Beat(self.speed()))
                except OSError:
                    return


def die(error: BaseException) -> None:
    """End the process at once; says where it broke, never with whose words."""
    where = "".join(traceback.format_tb(error.__traceback__))
    sys.stderr.write(f"{where}{type(error).__name__}\n")
    sys.stderr.flush()
    os._exit(EXIT_BROKEN)


def main(descriptor: int, parent_pid: int) -> None:
    isolate(parent_pid)
    faulthandler.enable()  # a crash in llama.cpp says from where it was called
    channel = Channel(socket.socket(fileno=descriptor))
    commands = channel.commands()
    load = next(commands, None)
    if not isinstance(load, Load):
        return
    limit_memory(load.model.memory_limit_bytes)
    heart = Heart(channel)
    try:
        from allerac.engine.service import Service

        service = Service(load.model, channel, heart, die)
    except AlleracError as err:
        sys.stderr.write(f"{err.__cause__ or err}\n")  # what llama.cpp said, for the log
        channel.send(LoadFailed(err))
    else:
        service.serve(commands)
    heart.stop()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
