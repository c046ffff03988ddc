"""Where a remote engine may be: an address of the internet, or one that the owner has confirmed.

A name can lead into the home network or to the box itself, so what it stands for is looked up and
judged before every request, and the request goes to exactly that address.
"""

import asyncio
import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from allerac.errors import EngineUnavailable, InvalidInput

URL_CHARACTERS_LIMIT = 512


@dataclass(frozen=True, slots=True)
class Target:
    """A checked place: connect to `url`, which has the address, in the name of `host`."""

    url: str
    host: str
    netloc: str


def check_url(url: str, *, allow_private: bool) -> str:
    """Return `url` without a slash at its end. Raises `InvalidInput`."""
    parts = _split(url)
    if parts.scheme == "http" and not allow_private:
        raise _wrong("The address must begin with https: the key would travel unprotected.")
    return url.rstrip("/")


async def resolve(url: str, *, allow_private: bool) -> Target:
    """Look up and judge what `url` stands for.

    Raises `EngineUnavailable` where there is no such name, `InvalidInput` for a place that must
    be confirmed first.
    """
    parts = _split(url)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as err:
        raise EngineUnavailable(
            "The remote engine's address is not found.", hint="Check it, and the network."
        ) from err
    addresses = [ipaddress.ip_address(str(item[4][0]).split("%")[0]) for item in found]
    if any(not _is_allowed(address, allow_private=allow_private) for address in addresses):
        raise _wrong("The address leads into the home network; confirm that this is meant.")
    chosen = addresses[0]
    literal = f"[{chosen}]" if chosen.version == 6 else str(chosen)
    return Target(f"{parts.scheme}://{literal}:{port}{parts.path}".rstrip("/"), host, parts.netloc)


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as err:
        raise _wrong("The address is no address.") from err
    if len(url) > URL_CHARACTERS_LIMIT or parts.scheme not in ("http", "https"):
        raise _wrong("The address must begin with https://.")
    if not parts.hostname or parts.username or parts.password or parts.query or parts.fragment:
        raise _wrong("The address must be a plain address, such as https://api.example.org/v1.")
    return parts


def _is_allowed(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address, *, allow_private: bool
) -> bool:
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if address.is_multicast or address.is_unspecified:
        return False
    return allow_private or address.is_global


def _wrong(message: str) -> InvalidInput:
    return InvalidInput(message, fields={"base_url": message})
