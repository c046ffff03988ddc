"""A box is found by IPv6 where there is IPv6, beside IPv4 or alone."""

import pytest

from .conftest import Lan
from .household_lan import (
    FIRST,
    FIRST_OWN,
    SECOND,
    SECOND_OWN,
    agreed,
    claimed,
    found_at,
    is_well,
    wait_until,
)

pytestmark = pytest.mark.slow

NEVER = {"check_seconds": 3600}
TYPE_A, TYPE_AAAA = 1, 28
LASTING, PASSING = "fd77::20", "fd77::21"


def test_box_is_found_by_both_versions_and_by_addresses_that_last(lan: Lan) -> None:
    box, listener = lan.machine("box", ipv6=True), lan.machine("listener", ipv6=True)
    box.add_ipv6(LASTING)
    box.add_ipv6(PASSING, "preferred_lft", "0")
    box.ask("start", identity=FIRST)
    for host in ("allerac.local", FIRST_OWN):
        assert found_at(listener, [box.link_local(), LASTING], host=host, version=6)
        assert found_at(listener, box.addresses, host=host)
    status = wait_until(box, is_well)
    assert status["names"] == ["allerac.local", FIRST_OWN]
    assert status["conflict"] is None


def test_box_without_ipv4_is_found_by_the_address_it_gave_itself(lan: Lan) -> None:
    box = lan.machine("box", ipv4=False, ipv6=True)
    listener = lan.machine("listener", ipv4=False, ipv6=True)
    box.ask("start", identity=FIRST, options=NEVER)
    assert found_at(listener, [box.link_local()], version=6)
    wait_until(box, is_well)


def test_ipv6_that_comes_later_is_announced_without_being_asked(lan: Lan) -> None:
    box, listener = lan.machine("box"), lan.machine("listener", ipv6=True)
    box.ask("start", identity=FIRST, options=NEVER)
    box.add_ipv6(LASTING)
    assert found_at(listener, [LASTING], version=6)
    box.add_ipv6("fd77::30")
    assert found_at(listener, [LASTING, "fd77::30"], version=6)
    assert found_at(listener, box.addresses)


def test_server_that_listens_by_ipv4_alone_is_announced_by_ipv4_alone(lan: Lan) -> None:
    box, listener = lan.machine("box", ipv6=True), lan.machine("listener", ipv6=True)
    box.add_ipv6(LASTING)
    listener.ask("listen")
    box.ask("start", identity=FIRST, options={"host": "0.0.0.0"})  # noqa: S104  # in a namespace
    assert found_at(listener, box.addresses)
    kinds = {kind for name, kind, _ in listener.ask("said") if name == "allerac.local."}
    assert TYPE_A in kinds
    assert TYPE_AAAA not in kinds


def test_address_of_one_link_is_not_announced_on_another(lan: Lan) -> None:
    box = lan.machine("box", legs=2, ipv6=True)
    listener = lan.machine("listener", ipv6=True)
    box.add_ipv6(LASTING)
    box.ask("start", identity=FIRST)
    assert found_at(listener, [LASTING], version=6)
    status = wait_until(box, is_well)
    assert status["names"] == ["allerac.local", FIRST_OWN]
    assert status["conflict"] is None


def test_boxes_of_one_name_agree_by_ipv6_alone(lan: Lan) -> None:
    first = lan.machine("box", ipv4=False, ipv6=True)
    second = lan.machine("box", ipv4=False, ipv6=True)
    second.send("start", identity=claimed(SECOND, "Kitchen"))
    first.send("start", identity=claimed(FIRST, "Kitchen"))
    second.answer()
    first.answer()
    for box in (first, second):
        wait_until(box, lambda s: is_well(s) and bool(s["boxes"]))
    owner, other = agreed(first, second, name="kitchen.local")
    if "kitchen.local" in other["names"]:
        owner, other = other, owner
    assert owner["conflict"] is None
    assert "kitchen.local" in other["conflict"]
    owns = {FIRST_OWN, SECOND_OWN}
    assert set(owner["names"]) | set(other["names"]) == {"kitchen.local", *owns}
