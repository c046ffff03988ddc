"""A box is found wherever its cables lead, soon after they do, and says goodbye when it goes."""

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
    resolve,
    wait_until,
)

pytestmark = pytest.mark.slow

NEVER = {"check_seconds": 3600}
"""A box that checks this seldom is found only if it notices by itself what has changed."""

TYPE_A, TYPE_SRV = 1, 33


@pytest.mark.parametrize("address", ["10.77.0.10", "10.77.0.200"], ids=["same", "another"])
def test_box_whose_link_went_down_is_found_at_the_address_it_has_after(
    lan: Lan, address: str
) -> None:
    box, listener = lan.machine("box"), lan.machine("listener")
    box.ask("start", identity=FIRST)
    box.move(address)
    assert found_at(listener, [address])
    status = wait_until(box, is_well)
    assert status["names"] == ["allerac.local", FIRST_OWN]
    assert status["conflict"] is None


def test_box_that_starts_before_its_network_is_found_soon_after_it_comes(lan: Lan) -> None:
    box, listener = lan.machine("box", legs=0), lan.machine("listener")
    status = box.ask("start", identity=FIRST, options=NEVER)
    assert status["names"] == []
    box.plug_in()
    assert found_at(listener, box.addresses)


def test_box_that_gets_a_new_address_follows_at_once(lan: Lan) -> None:
    box, listener = lan.machine("box"), lan.machine("listener")
    box.ask("start", identity=FIRST, options=NEVER)
    box.move("10.77.0.201")
    assert found_at(listener, box.addresses)


def test_box_is_found_on_a_second_network_that_comes_later(lan: Lan) -> None:
    box, listener = lan.machine("box"), lan.machine("listener")
    box.ask("start", identity=FIRST, options=NEVER)
    box.plug_in()
    assert len(box.addresses) == 2
    assert found_at(listener, box.addresses)


def test_box_whose_cable_is_moved_is_found_at_the_same_address_elsewhere(lan: Lan) -> None:
    box, listener = lan.machine("box"), lan.machine("listener")
    other = lan.machine("listener")
    other.isolate()
    other.ask("listen")
    box.ask("start", identity=FIRST, options=NEVER)
    assert found_at(listener, box.addresses)
    box.move_cable("br1")
    wait_until(box, lambda _: other.ask("counts").get(box.addresses[0], 0) > 0)
    assert found_at(other, box.addresses)


def test_box_moved_to_where_its_name_is_taken_leaves_it_to_the_other(lan: Lan) -> None:
    first, second, listener = lan.machine("box"), lan.machine("box"), lan.machine("listener")
    second.isolate()
    first.ask("start", identity=claimed(FIRST, "Kitchen"), options=NEVER)
    second.ask("start", identity=claimed(SECOND, "Kitchen"), options=NEVER)
    second.move_cable("br0")
    statuses = agreed(first, second, name="kitchen.local")
    assert statuses[0]["names"] == ["kitchen.local", FIRST_OWN]
    assert statuses[1]["names"] == [SECOND_OWN]
    assert resolve(listener, "kitchen.local") == first.addresses


def test_box_that_loses_its_only_link_says_so_and_comes_back_with_it(lan: Lan) -> None:
    box, listener = lan.machine("box"), lan.machine("listener")
    box.ask("start", identity=FIRST, options=NEVER)
    box.unplug()
    status = wait_until(box, lambda s: s["self_test"] is not None)
    assert status["self_test"] == {"ok": False, "reason": "no_address"}
    assert status["names"] == []
    box.plug_in()
    assert found_at(listener, [box.addresses[-1]])
    wait_until(box, is_well)


def test_box_that_stops_takes_its_names_and_services_back(lan: Lan) -> None:
    box, listener = lan.machine("box"), lan.machine("listener")
    box.ask("start", identity=FIRST)
    listener.ask("listen")
    box.ask("stop")
    gone = {(name, kind) for name, kind, seconds in listener.ask("said") if seconds == 0}
    assert {("allerac.local.", TYPE_A), (f"{FIRST_OWN}.", TYPE_A)} <= gone
    for kind in ("_http._tcp.local.", "_allerac._tcp.local."):
        assert (f"allerac-7k3f.{kind}", TYPE_SRV) in gone
