"""Boxes on one bridge find each other, share the names in peace and stay reachable."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from .conftest import Lan, Machine

pytestmark = pytest.mark.slow

FIRST: dict[str, Any] = {
    "device_id": "00000000-0000-7000-8000-000000000001",
    "suffix": "7k3f",
    "name": "",
    "claimed": False,
    "version": "0.1.0",
}
SECOND = {**FIRST, "device_id": "00000000-0000-7000-8000-000000000002", "suffix": "m4wd"}
FIRST_OWN, SECOND_OWN = "allerac-7k3f.local", "allerac-m4wd.local"
PATIENCE_SECONDS = 25.0


def wait_until(box: Machine, accept: Callable[[Any], bool]) -> Any:
    """Return the first status that `accept` likes; fails after `PATIENCE_SECONDS`."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        status = box.ask("status")
        if accept(status):
            return status
        time.sleep(0.2)
    raise AssertionError(f"waited in vain, last seen: {box.ask('status')}")


def resolve(listener: Machine, host: str, milliseconds: int = 2000) -> Any:
    return listener.ask("resolve", host=host, milliseconds=milliseconds)


def found_at(listener: Machine, addresses: list[str]) -> bool:
    """Tell whether the shared name leads to `addresses` within `PATIENCE_SECONDS`."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while resolve(listener, "allerac.local", 700) != addresses:
        if time.monotonic() > deadline:
            return False
    return True


def _agreed(first: Machine, second: Machine) -> list[Any]:
    """Return the statuses of both boxes once exactly one has the shared name."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        statuses = [first.ask("status"), second.ask("status")]
        if sum("allerac.local" in status["names"] for status in statuses) == 1:
            return statuses
        time.sleep(0.2)
    raise AssertionError("no agreement on one owner of allerac.local")


def claimed(identity: dict[str, Any], name: str) -> dict[str, Any]:
    return {**identity, "name": name, "claimed": True}


def test_one_box_answers_to_both_names_and_describes_its_services(lan: Lan) -> None:
    box, listener = lan.machine("box"), lan.machine("listener")
    status = box.ask("start", identity=FIRST)
    assert status["names"] == ["allerac.local", FIRST_OWN]
    assert status["conflict"] is None
    assert resolve(listener, "allerac.local") == box.addresses
    assert resolve(listener, FIRST_OWN) == box.addresses
    for kind in ("_allerac._tcp.local.", "_http._tcp.local."):
        service = listener.ask("service", kind=kind, name=f"allerac-7k3f.{kind}")
        assert (service["server"], service["port"]) == (f"{FIRST_OWN}.", 8080)
        assert service["txt"]["id"] == FIRST["device_id"]
        assert service["txt"]["version"] == "0.1.0"
        assert service["txt"]["state"] == "unclaimed"
        assert service["txt"]["path"] == "/"
    box.ask("stop")
    assert resolve(listener, FIRST_OWN, 700) == []


def test_second_box_leaves_the_name_until_the_first_is_claimed(lan: Lan) -> None:
    first, second, listener = lan.machine("box"), lan.machine("box"), lan.machine("listener")
    first.ask("start", identity=FIRST)
    status = second.ask("start", identity=SECOND)
    assert status["names"] == [SECOND_OWN]
    assert first.addresses[0] in status["conflict"]
    assert [box["suffix"] for box in wait_until(first, lambda s: s["boxes"])["boxes"]] == ["m4wd"]
    assert [box["suffix"] for box in wait_until(second, lambda s: s["boxes"])["boxes"]] == ["7k3f"]
    assert first.ask("update", identity=claimed(FIRST, "kitchen"))["names"] == [
        "kitchen.local",
        FIRST_OWN,
    ]
    assert resolve(listener, "kitchen.local") == first.addresses
    status = wait_until(second, lambda s: s["names"] == ["allerac.local", SECOND_OWN])
    assert status["conflict"] is None
    assert resolve(listener, "allerac.local") == second.addresses


def test_two_boxes_that_start_together_agree_on_one_owner(lan: Lan) -> None:
    first, second, listener = lan.machine("box"), lan.machine("box"), lan.machine("listener")
    second.send("start", identity=SECOND)
    first.send("start", identity=FIRST)
    second.answer()
    first.answer()

    def settled(status: Any) -> bool:
        return bool(status["self_test"]["checked"] and status["boxes"])

    wait_until(first, settled)
    wait_until(second, settled)
    statuses = _agreed(first, second)
    owners = ["allerac.local" in status["names"] for status in statuses]
    assert sorted(owners) == [False, True]
    assert [status["conflict"] is None for status in statuses] == owners
    owner = first if owners[0] else second
    assert resolve(listener, "allerac.local") == owner.addresses
    assert resolve(listener, FIRST_OWN) == first.addresses
    assert resolve(listener, SECOND_OWN) == second.addresses


def test_boxes_of_two_networks_that_become_one_agree_on_one_owner(lan: Lan) -> None:
    first, second, listener = lan.machine("box"), lan.machine("box"), lan.machine("listener")
    second.isolate()
    for box, identity in ((second, SECOND), (first, FIRST)):
        assert "allerac.local" in box.ask("start", identity=identity)["names"]
    second.join()
    first_status, second_status = _agreed(first, second)
    assert "allerac.local" in first_status["names"]
    assert first.addresses[0] in second_status["conflict"]
    assert first_status["conflict"] is None
    assert resolve(listener, SECOND_OWN) == second.addresses


def test_conflict_of_the_same_own_name_stays_quiet_and_both_stay_reachable(lan: Lan) -> None:
    first, second, listener = lan.machine("box"), lan.machine("box"), lan.machine("listener")
    first.ask("start", identity=claimed(FIRST, "Kitchen"))
    status = second.ask("start", identity=claimed(SECOND, "kitchen"))
    assert status["names"] == [SECOND_OWN]
    assert "kitchen.local" in status["conflict"]
    listener.ask("listen")
    time.sleep(20)  # the span over which a storm would show
    counts = listener.ask("counts")
    checks = 20 / 5 + 1
    packets_per_check = 3 + 3 + 3  # self-test, probe, answers to the other's
    for box in (first, second):
        assert 0 < counts.get(box.addresses[0], 0) <= checks * packets_per_check
    assert first.ask("status")["names"] == ["kitchen.local", FIRST_OWN]
    assert second.ask("status")["names"] == [SECOND_OWN]
    assert resolve(listener, "kitchen.local") == first.addresses
    assert resolve(listener, SECOND_OWN) == second.addresses


def test_box_with_two_legs_on_one_bridge_has_no_conflict_with_itself(lan: Lan) -> None:
    box, listener = lan.machine("box", legs=2), lan.machine("listener")
    box.ask("start", identity=FIRST)
    status = wait_until(box, lambda s: s["self_test"]["checked"])
    assert status["names"] == ["allerac.local", FIRST_OWN]
    assert status["conflict"] is None
    assert status["self_test"]["ok"]
    assert resolve(listener, "allerac.local") == box.addresses


@pytest.mark.parametrize("address", ["10.77.0.10", "10.77.0.200"], ids=["same", "another"])
def test_box_whose_link_went_down_is_found_at_the_address_it_has_after(
    lan: Lan, address: str
) -> None:
    box, listener = lan.machine("box"), lan.machine("listener")
    box.ask("start", identity=FIRST)
    box.move(address)
    assert found_at(listener, [address])
    status = wait_until(box, lambda s: s["self_test"]["ok"])
    assert status["names"] == ["allerac.local", FIRST_OWN]
    assert status["conflict"] is None


def test_box_that_starts_before_its_network_is_found_soon_after_it_comes(lan: Lan) -> None:
    box, listener = lan.machine("box", legs=0), lan.machine("listener")
    status = box.ask("start", identity=FIRST, check_seconds=3600)
    assert status["names"] == []
    box.plug_in()
    assert found_at(listener, box.addresses)


def test_box_that_gets_a_new_address_follows_at_once(lan: Lan) -> None:
    box, listener = lan.machine("box"), lan.machine("listener")
    box.ask("start", identity=FIRST, check_seconds=3600)
    box.move("10.77.0.201")
    assert found_at(listener, box.addresses)
