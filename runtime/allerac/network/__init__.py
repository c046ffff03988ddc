"""How the box is found: names, addresses, multicast DNS. The only door to zeroconf."""

from .addresses import Address, list_addresses
from .announcer import Announcer, BoxIdentity
from .hosts import HostAllowList, suggest_host_label

__all__ = [
    "Address",
    "Announcer",
    "BoxIdentity",
    "HostAllowList",
    "list_addresses",
    "suggest_host_label",
]
