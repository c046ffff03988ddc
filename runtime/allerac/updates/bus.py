"""The one door to D-Bus (https://dbus.freedesktop.org/doc/dbus-specification.html)."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import structlog
from dbus_fast import BusType, DBusFastError, Message, MessageType, unpack_variants
from dbus_fast.aio import MessageBus

log = structlog.get_logger()

CALL_SECONDS = 30.0
PROPERTIES = "org.freedesktop.DBus.Properties"

Listener = Callable[[str, list[Any]], None]
"""Gets the member and the unpacked arguments of a signal."""


class BusLostError(Exception):
    """Nobody answers: no bus, no such service, or not in time."""


class SilentError(BusLostError):
    """Somebody was asked and says nothing in time."""


class LeftError(BusLostError):
    """Somebody was asked and ended before there was an answer."""


class RefusedError(Exception):
    """The service answers with an error; `text` is in its own words."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(f"{name}: {text}")
        self.name = name
        self.text = text


@dataclass(frozen=True, slots=True)
class Remote:
    """An object of a service, by one of its interfaces."""

    service: str
    path: str
    interface: str


class SystemBus:
    """Connects when it is first needed, and again when the connection was lost.

    Every call raises `BusLostError` or `RefusedError`. Without an address it is the system's bus.
    """

    def __init__(self, address: str | None = None) -> None:
        self._address = address
        self._bus: MessageBus | None = None
        self._connecting = asyncio.Lock()

    async def close(self) -> None:
        """Hang up."""
        bus, self._bus = self._bus, None
        if bus is not None and bus.connected:
            bus.disconnect()

    async def call(
        self,
        remote: Remote,
        member: str,
        signature: str = "",
        *arguments: Any,
        seconds: float = CALL_SECONDS,
    ) -> list[Any]:
        """Call a method and return its unpacked results."""
        message = Message(
            destination=remote.service,
            path=remote.path,
            interface=remote.interface,
            member=member,
            signature=signature,
            body=list(arguments),
        )
        try:
            async with asyncio.timeout(seconds):
                reply = await (await self._connected()).call(message)
        except TimeoutError as error:
            raise SilentError(f"{remote.service}: no answer within {seconds:.0f} s") from error
        except (OSError, EOFError, DBusFastError) as error:
            raise BusLostError(f"{remote.service}: {error!r}") from error
        return _results(reply, remote)

    async def get(self, remote: Remote, name: str) -> Any:
        """Return a property."""
        properties = Remote(remote.service, remote.path, PROPERTIES)
        [value] = await self.call(properties, "Get", "ss", remote.interface, name)
        return value

    async def owner(self, service: str) -> str | None:
        """Return who has the name now, None when nobody does; it is another for each process."""
        try:
            [name] = await self.call(_DAEMON, "GetNameOwner", "s", service)
        except BusLostError:
            return None
        return str(name)

    @asynccontextmanager
    async def listening(self, remote: Remote, listener: Listener) -> AsyncIterator[None]:
        """Pass on the signals of an object, those of its properties too."""
        try:
            async with asyncio.timeout(CALL_SECONDS):
                bus = await self._connected()
        except (OSError, EOFError, DBusFastError, TimeoutError) as error:
            raise BusLostError(repr(error)) from error

        def pass_on(message: Message) -> None:
            if (
                message.message_type is MessageType.SIGNAL
                and message.path == remote.path
                and message.interface in {remote.interface, PROPERTIES}
            ):
                listener(message.member or "", unpack_variants(message.body))

        rule = f"type='signal',sender='{remote.service}',path='{remote.path}'"
        bus.add_message_handler(pass_on)
        try:
            await self.call(_DAEMON, "AddMatch", "s", rule)
            yield
        finally:
            bus.remove_message_handler(pass_on)
            with suppress(BusLostError, RefusedError):
                await self.call(_DAEMON, "RemoveMatch", "s", rule)

    async def _connected(self) -> MessageBus:
        async with self._connecting:
            if self._bus is None or not self._bus.connected:
                bus = MessageBus(bus_address=self._address, bus_type=BusType.SYSTEM)
                self._bus = await bus.connect()
            return self._bus


_DAEMON = Remote("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus")
_NOBODY = frozenset(
    f"org.freedesktop.DBus.Error.{name}"
    for name in ("ServiceUnknown", "NameHasNoOwner", "Disconnected", "TimedOut")
)
_LEFT = "org.freedesktop.DBus.Error.NoReply"
"""What both buses say when whoever was asked hangs up."""


def _results(reply: Message | None, remote: Remote) -> list[Any]:
    if reply is None:
        raise BusLostError(f"{remote.service}: the connection ended")
    if reply.message_type is MessageType.ERROR:
        name, text = reply.error_name or "", _text_of(reply.body)
        if name == _LEFT:
            raise LeftError(f"{remote.service}: {text}")
        if name in _NOBODY or ".Spawn." in name:
            raise BusLostError(f"{remote.service}: {text}")
        raise RefusedError(name, text)
    results: list[Any] = unpack_variants(reply.body)
    return results


def _text_of(body: Sequence[Any]) -> str:
    return body[0] if body and isinstance(body[0], str) else ""
