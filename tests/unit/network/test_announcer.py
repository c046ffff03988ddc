"""Names follow from the identity; the announcer survives a network that is not there."""

import asyncio
from ipaddress import ip_address

import pytest
from structlog.testing import capture_logs

from allerac.network.addresses import list_addresses
from allerac.network.announcer import Announcer
from allerac.network.identity import BoxIdentity
from allerac.network.self_test import SelfTest

UNCLAIMED = BoxIdentity("id-1", "7k3f", "", claimed=False, version="0.1.0")
CLAIMED = BoxIdentity("id-1", "7k3f", "Ana's Kitchen", claimed=True, version="0.1.0")


PATIENCE_SECONDS = 30


async def _tested(announcer: Announcer, after: SelfTest | None = None) -> SelfTest:
    """Return the first result that is another than `after`."""
    while (test := announcer.self_test) is None or test is after:  # noqa: ASYNC110  # a state, not an event
        await asyncio.sleep(0.01)
    return test


def test_unclaimed_box_wants_the_shared_name_and_a_claimed_one_its_own() -> None:
    assert (UNCLAIMED.label, UNCLAIMED.own_label, UNCLAIMED.state) == (
        "allerac",
        "allerac-7k3f",
        "unclaimed",
    )
    assert (CLAIMED.label, CLAIMED.own_label, CLAIMED.state) == (
        "anas-kitchen",
        "allerac-7k3f",
        "ready",
    )


def test_own_addresses_are_neither_loopback_nor_link_local_ipv6() -> None:
    for address in list_addresses():
        parsed = ip_address(address.ip)
        assert not parsed.is_loopback
        assert address.is_ipv6 == (parsed.version == 6)
        assert not (address.is_ipv6 and parsed.is_link_local)
        assert address.interface


async def test_announcer_that_was_never_started_stops_and_has_no_names() -> None:
    announcer = Announcer(port=8080)
    await announcer.stop()
    assert announcer.names() == []
    assert announcer.boxes() == []
    assert announcer.self_test is None


async def test_start_without_a_network_announces_nothing_and_says_why() -> None:
    announcer = Announcer(port=8080, host="192.0.2.1", check_seconds=0.05)
    await announcer.start(UNCLAIMED)
    async with asyncio.timeout(PATIENCE_SECONDS):
        test = await _tested(announcer)
    await announcer.stop()
    assert announcer.names() == []
    assert (test.ok, test.reason) == (False, "no_address")
    assert test.message == "This box has no network address."


async def test_rename_takes_the_old_name_back_and_stop_takes_all() -> None:
    announcer = Announcer(port=8080, host="127.0.0.1")
    try:
        await announcer.start(UNCLAIMED)
        if announcer.conflict is not None:
            pytest.skip("another process on this machine announces allerac.local")
        assert announcer.names() == ["allerac.local", "allerac-7k3f.local"]
        await announcer.update(CLAIMED)
        assert announcer.names() == ["anas-kitchen.local", "allerac-7k3f.local"]
    finally:
        await announcer.stop()
    assert announcer.names() == []


async def test_stop_in_the_middle_of_a_start_leaves_nothing_running() -> None:
    before = asyncio.all_tasks()
    announcer = Announcer(port=8080, host="127.0.0.1")
    starting = asyncio.create_task(announcer.start(UNCLAIMED))
    await asyncio.sleep(0)
    starting.cancel()
    await asyncio.gather(starting, return_exceptions=True)
    await announcer.stop()
    assert asyncio.all_tasks() == before


async def test_what_stays_as_it_is_is_logged_once() -> None:
    announcer = Announcer(port=8080, host="127.0.0.1", check_seconds=0.05)
    with capture_logs() as told:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await announcer.start(UNCLAIMED)
                first = await _tested(announcer)
                second = await _tested(announcer, after=first)
                await _tested(announcer, after=second)
        finally:
            await announcer.stop()
    assert first.ok
    assert [line["event"] for line in told] == ["announced"]
