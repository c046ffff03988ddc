"""The box's own addresses."""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import ifaddr

FLAGS = Path("/proc/net/if_inet6")
TEMPORARY, FAILED, DEPRECATED, TENTATIVE = 0x01, 0x08, 0x20, 0x40
"""Linux, include/uapi/linux/if_addr.h: an address that others should not be told of."""

ANY_IPV4 = "0.0.0.0"  # noqa: S104  # compared, not bound


@dataclass(frozen=True, slots=True)
class Address:
    """An address of one of the box's interfaces."""

    ip: str
    interface: str
    is_ipv6: bool

    @property
    def is_ipv6_link_local(self) -> bool:
        """Whether it means this box on its own link only, and something else on every other."""
        return self.is_ipv6 and ipaddress.ip_address(self.ip).is_link_local


def list_addresses(host: str | None = None) -> list[Address]:
    """Return what to open from elsewhere, IPv4 first; no link-local IPv6, which browsers refuse.

    `host` is where the server listens, None for the box's proxy, which listens everywhere.
    """
    return [address for address in served_at(host) if not address.is_ipv6_link_local]


def served_at(host: str | None) -> list[Address]:
    """Return the addresses at which a server is reached that listens on `host`, IPv4 first."""
    if host is None or host == "::":
        return all_addresses()
    if host == ANY_IPV4:
        return [address for address in all_addresses() if not address.is_ipv6]
    if is_loopback(host):
        ip = "127.0.0.1" if host == "localhost" else host
        return [Address(ip, "lo", ":" in ip)]
    return [address for address in all_addresses() if address.ip == host]


def is_loopback(host: str) -> bool:
    """Tell whether only this machine reaches `host`."""
    return host == "localhost" or host.startswith("127.") or host == "::1"


def all_addresses() -> list[Address]:
    """Return every address of every interface but loopback, IPv4 first."""
    found = []
    for adapter in ifaddr.get_adapters():
        for ip in adapter.ips:
            text = ip.ip if isinstance(ip.ip, str) else ip.ip[0]
            if not ipaddress.ip_address(text).is_loopback:
                found.append(Address(text, adapter.nice_name, ":" in text))
    return sorted(found, key=lambda address: (address.is_ipv6, address.interface, address.ip))


def lasting(addresses: Iterable[Address], flags: Path = FLAGS) -> list[Address]:
    """Return the addresses without those of IPv6 that come and go.

    Temporary ones (RFC 8981) hide who calls and are new every day; tentative ones may turn out to
    be another machine's. Where the kernel does not tell, all are taken to last.
    """
    passing = _passing(flags)
    return [address for address in addresses if address.ip not in passing]


def to_announce(addresses: Iterable[Address]) -> list[str]:
    """Return what the names shall lead to.

    The same is said on every link, so a link-local address is left out where there are several,
    unless there is nothing else.
    """
    known = list(addresses)
    if len({address.interface for address in known}) > 1:
        known = [address for address in known if not address.is_ipv6_link_local] or known
    return [address.ip for address in known]


def to_speak_from(addresses: Iterable[Address]) -> list[str]:
    """Return where multicast DNS is spoken: each address of IPv4, one of IPv6 for each link."""
    known = list(addresses)
    links: dict[str, str] = {}
    for address in sorted(known, key=lambda address: not address.is_ipv6_link_local):
        if address.is_ipv6:
            links.setdefault(address.interface, address.ip)
    return [address.ip for address in known if not address.is_ipv6] + sorted(links.values())


def _passing(flags: Path) -> set[str]:
    """Return the addresses that the kernel marks as not to be relied on.

    Each line of proc(5)'s `if_inet6` is address, index, prefix length, scope, flags, interface.
    """
    try:
        lines = flags.read_text().splitlines()
    except OSError:
        return set()
    marked = TEMPORARY | FAILED | DEPRECATED | TENTATIVE
    rows = [line.split() for line in lines]
    return {
        str(ipaddress.IPv6Address(bytes.fromhex(row[0])))
        for row in rows
        if int(row[4], 16) & marked
    }
