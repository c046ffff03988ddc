"""How the box is found: names, addresses, multicast DNS. The only door to zeroconf."""

from .addresses import Address, is_loopback, list_addresses
from .announcer import Announcer
from .hosts import HostAllowList, suggest_host_label
from .identity import BoxIdentity
from .neighbours import SeenBox
from .self_test import Reason, SelfTest

__all__ = [
    "Address",
    "Announcer",
    "BoxIdentity",
    "HostAllowList",
    "Reason",
    "SeenBox",
    "SelfTest",
    "is_loopback",
    "list_addresses",
    "suggest_host_label",
]
