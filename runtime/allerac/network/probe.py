"""Ask the network who answers to a host name.

zeroconf probes the names of services, not those of hosts, and its resolver is content with what
its cache remembers; a probe wants to know who answers now.
"""

import asyncio
import random
from collections.abc import Iterable
from ipaddress import ip_address

from zeroconf import (  # type: ignore[attr-defined]  # public, but some miss in its __all__
    DNSAddress,
    DNSOutgoing,
    DNSQuestion,
    RecordUpdate,
    RecordUpdateListener,
    Zeroconf,
)

PROBES = 3
PROBE_SECONDS = 0.25
"""RFC 6762, section 8.1: three probes, 250 ms apart, after a random wait of as much."""

LATE_ANSWER_SECONDS = 0.6
"""Section 6: a responder may delay an answer by 120 ms; zeroconf by up to 500 ms."""

TYPE_A, TYPE_AAAA, CLASS_IN, QU_BIT = 1, 28, 1, 0x8000
"""RFC 1035, section 3.2; RFC 3596, section 2.1; RFC 6762, section 18.12."""


class _Answers(RecordUpdateListener):
    """Collects the addresses that live answers give for some host names."""

    def __init__(self, hosts: Iterable[str]) -> None:
        self.found: dict[str, set[str]] = {host.lower(): set() for host in hosts}

    def async_update_records(
        self,
        zc: Zeroconf,
        now: float,
        records: list[RecordUpdate],
    ) -> None:
        for update in records:
            record = update.new
            addresses = self.found.get(record.name.lower())
            if (
                addresses is not None
                and isinstance(record, DNSAddress)
                and not record.is_expired(now)
            ):
                addresses.add(str(ip_address(record.address)))


async def who_answers(zeroconf: Zeroconf, hosts: Iterable[str]) -> dict[str, set[str]]:
    """Return for each host name (`kitchen.local.`) the addresses that answer now.

    Sends three queries for all names together and listens for about 1.3 seconds. The answers of
    this machine are among them.
    """
    answers = _Answers(hosts)
    zeroconf.async_add_listener(answers, None)
    try:
        await asyncio.sleep(random.uniform(0, PROBE_SECONDS))  # noqa: S311  # spreads, hides nothing
        for number in range(PROBES):
            last = number == PROBES - 1
            zeroconf.async_send(_query(answers.found, unicast_response=not last))
            await asyncio.sleep(LATE_ANSWER_SECONDS if last else PROBE_SECONDS)
    finally:
        zeroconf.async_remove_listener(answers)
    return answers.found


def _query(hosts: Iterable[str], *, unicast_response: bool) -> DNSOutgoing:
    """Return a query; the last of a probe asks for multicast, which is what others will use."""
    out = DNSOutgoing(0)
    for host in hosts:
        for kind in (TYPE_A, TYPE_AAAA):
            out.add_question(
                DNSQuestion(host, kind, CLASS_IN | (QU_BIT if unicast_response else 0))
            )
    return out
