"""Only addresses that last are announced, and only where they mean this box."""

from ipaddress import IPv6Address
from pathlib import Path

import pytest

from allerac.network.addresses import (
    Address,
    all_addresses,
    lasting,
    served_at,
    to_announce,
    to_speak_from,
)

WIRED, WIRELESS = "eth0", "wlan0"
IPV4 = Address("192.168.1.20", WIRED, is_ipv6=False)
LASTING = Address("fd00::20", WIRED, is_ipv6=True)
LOCAL = Address("fe80::20", WIRED, is_ipv6=True)
OTHER_LOCAL = Address("fe80::21", WIRELESS, is_ipv6=True)


@pytest.mark.parametrize(
    ("known", "announced"),
    [
        ([], []),
        ([IPV4], [IPV4]),
        ([IPV4, LASTING, LOCAL], [IPV4, LASTING, LOCAL]),
        ([LOCAL], [LOCAL]),
        ([IPV4, LASTING, LOCAL, OTHER_LOCAL], [IPV4, LASTING]),
        ([LOCAL, OTHER_LOCAL], [LOCAL, OTHER_LOCAL]),
    ],
)
def test_link_local_is_announced_on_its_own_link_or_as_the_last_resort(
    known: list[Address], announced: list[Address]
) -> None:
    assert to_announce(known) == [address.ip for address in announced]


@pytest.mark.parametrize(
    ("known", "spoken"),
    [
        ([], []),
        ([IPV4], [IPV4]),
        ([IPV4, LASTING, LOCAL], [IPV4, LOCAL]),
        ([LASTING], [LASTING]),
        ([LOCAL, OTHER_LOCAL], [LOCAL, OTHER_LOCAL]),
    ],
)
def test_ipv6_is_spoken_once_on_each_link(known: list[Address], spoken: list[Address]) -> None:
    assert to_speak_from(known) == [address.ip for address in spoken]


@pytest.mark.parametrize(
    ("flags", "lasts"),
    [("80", True), ("00", True), ("02", True)]
    + [(flags, False) for flags in ("01", "08", "20", "40", "c0", "a1")],
)
def test_kernel_flags_tell_which_addresses_pass(tmp_path: Path, flags: str, lasts: bool) -> None:
    told = tmp_path / "if_inet6"
    told.write_text(f"{IPv6Address(LASTING.ip).packed.hex()} 02 40 00 {flags}     eth0\n")
    assert lasting([IPV4, LASTING], told) == ([IPV4, LASTING] if lasts else [IPV4])


def test_without_the_kernels_word_every_address_lasts(tmp_path: Path) -> None:
    assert lasting([IPV4, LASTING], tmp_path / "missing") == [IPV4, LASTING]


def test_server_is_reached_where_it_listens_and_nowhere_else() -> None:
    known = all_addresses()
    ipv4 = [address for address in known if not address.is_ipv6]
    assert served_at(None) == served_at("::") == known
    assert served_at("0.0.0.0") == ipv4  # noqa: S104  # compared, not bound
    assert served_at("192.0.2.1") == []
    for address in known:
        assert address in served_at(address.ip)
        assert {found.ip for found in served_at(address.ip)} == {address.ip}


@pytest.mark.parametrize(
    ("host", "ip"), [("localhost", "127.0.0.1"), ("127.0.0.2", "127.0.0.2"), ("::1", "::1")]
)
def test_server_of_this_machine_alone_is_reached_by_loopback(host: str, ip: str) -> None:
    assert served_at(host) == [Address(ip, "lo", ":" in ip)]
