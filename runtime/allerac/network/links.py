"""The kernel's notices of links and addresses that change (rtnetlink(7)); on Linux alone."""

import asyncio
import errno
import socket
import struct
from collections.abc import Callable, Iterator

import structlog

log = structlog.get_logger()

GROUPS = 0x1 | 0x10 | 0x100
"""Linux, include/uapi/linux/rtnetlink.h: RTMGRP_LINK, RTMGRP_IPV4_IFADDR, RTMGRP_IPV6_IFADDR."""

NEW_LINK, DELETED_LINK = 16, 17
RUNNING = 0x40
"""netdevice(7): IFF_RUNNING, the interface is up and has its carrier."""

HEADER = struct.Struct("=IHHII")
LINK = struct.Struct("=BxHiII")
"""netlink(7): nlmsghdr; rtnetlink(7): ifinfomsg."""

NOTICE_BYTES = 65536


class LinkWatch:
    """Calls `on_notice` when an address or link may have changed.

    Its argument tells that a link came up that was down: whoever is there now may be others than
    before, although our addresses are the same.
    """

    def __init__(self, on_notice: Callable[[bool], None]) -> None:
        self._on_notice = on_notice
        self._socket: socket.socket | None = None
        self._running: dict[int, bool] = {}

    def start(self) -> None:
        """Watch; where that is not possible, say so once and watch nothing."""
        if not hasattr(socket, "AF_NETLINK"):
            return
        try:
            notices = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
            notices.setblocking(False)
            notices.bind((0, GROUPS))
        except OSError as error:
            log.warning("links_not_watched", reason=str(error))
            return
        self._socket = notices
        asyncio.get_running_loop().add_reader(notices, self._read)

    def stop(self) -> None:
        """Watch no longer."""
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
            self._socket = None

    def _read(self) -> None:
        came_up = False
        try:
            while self._socket is not None:
                came_up |= self.take(self._socket.recv(NOTICE_BYTES))
        except BlockingIOError:
            pass
        except OSError as error:
            came_up |= error.errno == errno.ENOBUFS  # notices were lost, this may be one
        self._on_notice(came_up)

    def take(self, notices: bytes) -> bool:
        """Remember which links run; tell whether one does that did not when last heard of."""
        came_up = False
        for kind, body in _messages(notices):
            if kind not in {NEW_LINK, DELETED_LINK} or len(body) < LINK.size:
                continue
            _, _, index, flags, _ = LINK.unpack_from(body)
            runs = kind == NEW_LINK and bool(flags & RUNNING)
            came_up |= runs and not self._running.get(index, True)
            self._running[index] = runs
        return came_up


def _messages(notices: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield type and body of each message; they begin at multiples of four bytes."""
    offset = 0
    while offset + HEADER.size <= len(notices):
        length, kind, _, _, _ = HEADER.unpack_from(notices, offset)
        if length < HEADER.size:
            return
        yield kind, notices[offset + HEADER.size : offset + length]
        offset += (length + 3) & ~3
