"""Units on the station's own network: found by multicast DNS, asked for their birth certificates.

Nothing that is heard is believed: what a unit hands out is proven by its key, at the desk.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import httpx
from zeroconf import IPVersion, ServiceStateChange, Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from allerac_image.errors import BadInput

from .certificate import LARGEST, Certificate, parse_certificate

SERVICE = "_allerac._tcp.local."
PATH = "/api/v1/factory/certificate"
HOST = "localhost"
"""A name that every unit takes for its own, whatever the address is that it was asked at."""

HTTP_PORT = 80
CONNECT_SECONDS = 3.0
ANSWER_SECONDS = 15.0
LIMITS = httpx.Timeout(None, connect=CONNECT_SECONDS)
"""An address that leads nowhere leaves time for the next one."""

RESOLVE_MILLISECONDS = 3000
MOST = 256
"""Units that are looked at in one go; whoever announces more does not fill the memory."""


@dataclass(frozen=True, slots=True)
class Announced:
    """A unit as it announces itself; `addresses` name their link where that is needed."""

    device_id: str
    addresses: Sequence[str]
    port: int


async def units_on_network(seconds: float) -> list[Announced]:
    """Listen for so long and return the units that answered, by device id.

    Raises `BadInput` when there is no network to listen on.
    """
    units = _Units()
    try:
        async with AsyncZeroconf(ip_version=IPVersion.All) as network:
            browser = AsyncServiceBrowser(network.zeroconf, [SERVICE], handlers=[units.heard])
            await asyncio.sleep(seconds)
            await browser.async_cancel()
            return await units.resolved(network.zeroconf)
    except OSError as error:
        raise BadInput(f"There is no network to find units on: {error}.") from error


class _Units:
    """What was heard."""

    def __init__(self) -> None:
        self._names: set[str] = set()

    def heard(
        self, zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange
    ) -> None:
        if state_change is ServiceStateChange.Removed:
            self._names.discard(name)
        elif len(self._names) < MOST:
            self._names.add(name)

    async def resolved(self, zeroconf: Zeroconf) -> list[Announced]:
        services = [AsyncServiceInfo(SERVICE, name) for name in self._names]
        answered = await asyncio.gather(
            *(service.async_request(zeroconf, RESOLVE_MILLISECONDS) for service in services)
        )
        units = [
            _announced(one) for one, is_there in zip(services, answered, strict=True) if is_there
        ]
        return sorted(units, key=lambda unit: unit.device_id)


def _announced(service: AsyncServiceInfo) -> Announced:
    return Announced(
        device_id=service.decoded_properties.get("id") or "",
        addresses=service.parsed_scoped_addresses(),
        port=service.port or HTTP_PORT,
    )


def announced_at(text: str) -> Announced:
    """Return the unit at an address that a person typed: `ADDRESS`, `ADDRESS:PORT`, `[IPV6]:PORT`.

    Raises `BadInput` for a port that is none.
    """
    address, port = text, ""
    if text.startswith("["):
        address, _, port = text[1:].partition("]")
        port = port.removeprefix(":")
    elif text.count(":") == 1:
        address, _, port = text.partition(":")
    if not address or (port and not port.isdecimal()):
        raise BadInput(f"{text} is no address: 169.254.7.1, or [fe80::1%eth0]:80.")
    return Announced("", [address], int(port or HTTP_PORT))


async def fetch_certificate(unit: Announced, seconds: float = ANSWER_SECONDS) -> Certificate:
    """Ask a unit at each of its addresses until one answers; all of it takes at most `seconds`.

    Raises `BadInput` when it offers no certificate.
    """
    problem = "it has no address"
    try:
        async with asyncio.timeout(seconds):
            for address in unit.addresses:
                try:
                    return await _fetch(address, unit.port)
                except (OSError, httpx.HTTPError, httpx.InvalidURL) as error:
                    problem = str(error) or type(error).__name__
    except TimeoutError:
        problem = f"it did not answer within {seconds:.0f} s"
    raise BadInput(f"The unit at {_shown(unit)} cannot be asked: {problem}.")


async def _fetch(address: str, port: int) -> Certificate:
    place = f"[{address}]" if ":" in address else address
    url = f"http://{place}:{port}{PATH}"
    async with (
        httpx.AsyncClient(trust_env=False, follow_redirects=False, timeout=LIMITS) as client,
        client.stream("GET", url, headers={"Host": HOST}) as answer,
    ):
        if answer.status_code == httpx.codes.NOT_FOUND:
            raise BadInput(
                f"The unit at {place} offers no certificate: its burn-in is not over, "
                "or it was switched off since, or claimed."
            )
        answer.raise_for_status()
        content = bytearray()
        async for part in answer.aiter_bytes():
            content += part
            if len(content) > LARGEST:
                raise BadInput(f"What the unit at {place} sends is no certificate.")
    return parse_certificate(bytes(content), f"The unit at {place}")


def _shown(unit: Announced) -> str:
    return ", ".join(unit.addresses) or unit.device_id
