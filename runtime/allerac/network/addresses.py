"""The box's own addresses."""

import ipaddress
from dataclasses import dataclass

import ifaddr


@dataclass(frozen=True, slots=True)
class Address:
    """An address of one of the box's interfaces."""

    ip: str
    interface: str
    is_ipv6: bool


def list_addresses() -> list[Address]:
    """Return the addresses that others can reach, IPv4 first; no loopback, no link-local IPv6."""
    found = []
    for adapter in ifaddr.get_adapters():
        for ip in adapter.ips:
            text = ip.ip if isinstance(ip.ip, str) else ip.ip[0]
            address = ipaddress.ip_address(text)
            if not address.is_loopback and not (address.version == 6 and address.is_link_local):
                found.append(Address(text, adapter.nice_name, address.version == 6))
    return sorted(found, key=lambda address: (address.is_ipv6, address.interface, address.ip))
