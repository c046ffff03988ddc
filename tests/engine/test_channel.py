"""The engine's end of the socket, when the runtime goes."""

import socket

import pytest

from allerac.engine.channel import Channel
from allerac.engine.protocol import Speed
from allerac.engine.wire import Beat, Cancel, encode_command


@pytest.mark.parametrize("is_unread", [False, True])
def test_commands_end_with_the_runtime_whether_it_read_all_reports_or_not(is_unread: bool) -> None:
    runtime, ours = socket.socketpair()
    channel = Channel(ours)
    runtime.sendall(encode_command(Cancel("a")))
    commands = channel.commands()
    assert next(commands) == Cancel("a")
    if is_unread:
        channel.send(Beat(Speed()))
    runtime.close()
    assert list(commands) == []
    with pytest.raises(OSError, match="Broken pipe"):
        channel.send(Beat(Speed()))
    ours.close()
