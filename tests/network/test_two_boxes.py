"""Boxes on one bridge find each other, share the names in peace and stay reachable."""

import time
from typing import Any

import pytest

from .conftest import Lan
from .household_lan import (
    FIRST,
    FIRST_OWN,
    SECOND,
    SECOND_OWN,
    agreed,
    claimed,
    is_well,
    resolve,
    wait_until,
)

pytestmark = pytest.mark.slow

QUIET_SECONDS = 12
"""Two checks of every box, and time for what they would set off."""


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
        return bool(status["self_test"] and status["boxes"])

    wait_until(first, settled)
    wait_until(second, settled)
    statuses = agreed(first, second)
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
    first_status, second_status = agreed(first, second)
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
    time.sleep(QUIET_SECONDS)  # the span over which a storm would show
    counts = listener.ask("counts")
    checks = QUIET_SECONDS / 5 + 1
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
    status = wait_until(box, is_well)
    assert status["names"] == ["allerac.local", FIRST_OWN]
    assert status["conflict"] is None
    assert status["self_test"]["ok"]
    assert resolve(listener, "allerac.local") == box.addresses


def test_three_boxes_of_one_name_agree_and_stay_quiet(lan: Lan) -> None:
    boxes = [lan.machine("box", ipv6=True) for _ in range(3)]
    listener = lan.machine("listener", ipv6=True)
    for number, box in enumerate(boxes, start=1):
        identity = {**FIRST, "device_id": f"0000000{number}", "suffix": f"box{number}"}
        box.send("start", identity=claimed(identity, "Kitchen"))
    for box in boxes:
        box.answer()
        wait_until(box, lambda s: is_well(s) and len(s["boxes"]) == 2)
    agreed(*boxes, name="kitchen.local")
    listener.ask("listen")
    time.sleep(QUIET_SECONDS)  # the span over which a storm would show
    counts = listener.ask("counts")
    checks = QUIET_SECONDS / 5 + 1
    packets_per_check = 3 + 3 + 2 * 3  # self-test, probe, answers to the others'
    assert len(counts) == 2 * len(boxes)
    assert all(count <= checks * packets_per_check for count in counts.values()), counts
    agreed(*boxes, name="kitchen.local")
