"""The engine process: `python -m allerac.engine.child FD PARENT_PID`, or `… --stdin`.

Isolates itself, takes the one `Load` command and serves that model until the socket closes.
llama.cpp, numpy and the template engine are imported after the first heartbeat. With `--stdin` the
socket is standard input, as systemd hands it over, and its end is the process's end at once:
nobody else could stop a computation that does not end.
"""

import faulthandler
import gc
import os
import queue
import socket
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from allerac.engine.channel import Channel
from allerac.engine.isolation import ENGINE_VARIABLES, isolate, limit_memory
from allerac.engine.protocol import ModelFile, Speed
from allerac.engine.threads import pin
from allerac.engine.wire import Beat, Command, Load, LoadFailed
from allerac.errors import AlleracError

if TYPE_CHECKING:
    from allerac.engine.embedding_service import EmbeddingService
    from allerac.engine.service import Service

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


def main(arguments: list[str]) -> None:
    """Serve the runtime at the socket that `arguments` name."""
    faulthandler.enable()  # a crash in llama.cpp says from where it was called
    if arguments == ["--stdin"]:
        os.environ.update(ENGINE_VARIABLES)
        isolate(None)
        channel = Channel(take_standard_input())
        try:
            serve(channel, last_commands(channel.commands()))
        except Exception as err:  # noqa: BLE001 - the boundary of the process: end, start anew
            die(err)
        os._exit(0)  # the thread that reads cannot be joined
    else:
        descriptor, parent_pid = map(int, arguments)
        isolate(parent_pid)
        channel = Channel(socket.socket(fileno=descriptor))
        serve(channel, channel.commands())


def take_standard_input() -> socket.socket:
    """Return the socket that is standard input; nothing that is printed reaches it from then on.

    systemd gives a socket as input to standard output and error too unless it is told otherwise.
    """
    sock = socket.socket(fileno=os.dup(0))
    sock.setblocking(True)
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (2, 1, 0):
        if os.path.sameopenfile(sock.fileno(), stream):
            os.dup2(nothing, stream)
    os.close(nothing)
    return sock


def last_commands(commands: Iterator[Command]) -> Iterator[Command]:
    """Hand on `commands` as a thread reads them; when they end, so does the process.

    The kernel takes back memory faster than llama.cpp frees it, and nothing is to be saved.
    """
    arrived: queue.SimpleQueue[Command | None] = queue.SimpleQueue()

    def read() -> None:
        try:
            for command in commands:
                arrived.put(command)
        except OSError:
            pass  # the runtime is gone
        except Exception as err:  # noqa: BLE001 - the boundary of a thread: end, start anew
            die(err)
        os._exit(0)

    threading.Thread(target=read, name="commands", daemon=True).start()
    return iter(arrived.get, None)


def serve(channel: Channel, commands: Iterator[Command]) -> None:
    """Load the model that the first command names and answer those that follow."""
    load = next(commands, None)
    if not isinstance(load, Load):
        return
    limit_memory(load.model.memory_limit_bytes)
    pin(load.model.processors, in_order=load.model.in_order)
    heart = Heart(channel)
    gc.disable()  # what is imported and loaded stays: looking it through takes a tenth of a start
    try:
        service = _service(load.model, channel, heart)
    except AlleracError as err:
        sys.stderr.write(f"{err.__cause__ or err}\n")  # what llama.cpp said, for the log
        channel.send(LoadFailed(err))
    else:
        gc.freeze()
        gc.enable()
        service.serve(commands)
    heart.stop()


def _service(model: ModelFile, channel: Channel, heart: Heart) -> "Service | EmbeddingService":
    if model.purpose != "chat":
        from allerac.engine.embedding_service import EmbeddingService

        return EmbeddingService(model, channel, heart)
    from allerac.engine.service import Service

    return Service(model, channel, heart, die)


if __name__ == "__main__":
    main(sys.argv[1:])
