"""Names: what may stand in a Host header, and what a person's name for the box becomes."""

import ipaddress
import re
import unicodedata
from collections.abc import Callable, Iterable

LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
"""RFC 1123, section 2.1: letters, digits and inner hyphens, at most 63."""

PORT = re.compile(r"[0-9]{1,5}")
MAX_PORT = 65535
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
FALLBACK = "allerac"
UNDECOMPOSED = str.maketrans(
    {
        "ß": "ss",
        "æ": "ae",
        "œ": "oe",
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "þ": "th",
        "\u0131": "i",
    }
)
"""Latin letters that Unicode does not take apart into a plain letter and an accent."""


def suggest_host_label(name: str) -> str:
    """Return the host label for a box's name: `Ana's Kitchen` → `anas-kitchen`; never empty."""
    latin = name.lower().translate(UNDECOMPOSED)
    plain = unicodedata.normalize("NFKD", latin).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"['`]", "", plain)
    label = re.sub(r"[^a-z0-9]+", "-", words).strip("-")[:63].strip("-")
    return label or FALLBACK


class HostAllowList:
    """Tells whether a Host header names this box; everything else is DNS rebinding.

    `names` returns the box's host names now, `addresses` its own addresses.
    """

    def __init__(
        self,
        *,
        names: Callable[[], Iterable[str]],
        addresses: Callable[[], Iterable[str]],
        extra: Iterable[str] = (),
    ) -> None:
        self._names = names
        self._addresses = addresses
        self._extra = frozenset(name.lower() for name in extra)

    def __call__(self, header: str) -> bool:
        """Tell whether `header`, with or without a port, is one of ours."""
        host = parse_host(header)
        if host is None:
            return False
        if host in LOOPBACK or host in self._extra:
            return True
        return host in {name.lower() for name in self._names()} or host in self._addresses()


def parse_host(header: str) -> str | None:
    """Return the host of a Host header in lower case, None for any form but host[:port].

    RFC 9112, section 3.2, allows more; whoever needs more than this is not a browser of ours.
    """
    if not header.isascii():
        return None
    if header.startswith("["):
        inner, bracket, rest = header[1:].partition("]")
        is_whole = bracket and (not rest or (rest[0] == ":" and _is_port(rest[1:])))
        return _ipv6(inner) if is_whole else None
    host, colon, port = header.partition(":")
    if colon and not _is_port(port):
        return None
    host = host.lower()
    if not host or len(host) > 253:
        return None
    return host if all(LABEL.fullmatch(label) for label in host.split(".")) else None


def _is_port(text: str) -> bool:
    return PORT.fullmatch(text) is not None and 0 < int(text) <= MAX_PORT


def _ipv6(text: str) -> str | None:
    try:
        return str(ipaddress.IPv6Address(text))
    except ValueError:
        return None
