"""Which of the offers a box takes."""

import sys
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allerac.updates.offer import (
    Circumstances,
    Offer,
    choose,
    is_in_rollout,
    minimum_for,
    withheld,
)
from allerac.updates.version import Version
from allerac_release.version import Version as PublishedVersion

from .household import NOON, offer_of
from .publisher import TIER

BOX = Circumstances("0197-device", TIER, Version.read("1.0.0"), "stable")


def chosen(*offers: Offer, box: Circumstances = BOX, by_owner: bool = False) -> str | None:
    offer = choose(offers, box, by_owner=by_owner)
    return None if offer is None else str(offer.version)


def test_the_newest_is_taken_and_never_an_older_or_the_same() -> None:
    assert chosen(offer_of("1.1.0"), offer_of("1.10.0"), offer_of("1.9.9")) == "1.10.0"
    assert chosen(offer_of("1.0.0"), offer_of("0.9.0"), offer_of("1.0.0-rc.1")) is None


@pytest.mark.parametrize(
    "fields",
    [
        {"tier": "n100"},
        {"halted": True},
        {"channel": "beta"},
        {"minimum_version": "1.0.1"},
    ],
)
def test_what_is_for_others_is_not_taken_even_by_an_owner(fields: dict[str, object]) -> None:
    offers = offer_of("1.2.0", **fields), offer_of("1.1.0")
    assert chosen(*offers) == "1.1.0"
    assert chosen(*offers, by_owner=True) == "1.1.0"


def test_beta_boxes_take_stable_releases_too() -> None:
    box = replace(BOX, channel="beta")
    assert chosen(offer_of("1.2.0", channel="beta"), offer_of("1.1.0"), box=box) == "1.2.0"
    assert chosen(offer_of("1.2.0", channel="beta"), offer_of("1.3.0"), box=box) == "1.3.0"


def test_a_pinned_box_goes_no_further() -> None:
    box = replace(BOX, pinned=Version.read("1.1.0"))
    assert chosen(offer_of("1.1.0"), offer_of("1.2.0"), box=box) == "1.1.0"


def test_a_version_that_came_back_waits_for_its_owner() -> None:
    box = replace(BOX, unwanted=frozenset({"1.1.0"}))
    assert chosen(offer_of("1.1.0"), box=box) is None
    assert chosen(offer_of("1.1.0"), box=box, by_owner=True) == "1.1.0"
    assert chosen(offer_of("1.1.0"), offer_of("1.1.1"), box=box) == "1.1.1"


def test_a_rollout_reaches_its_share_of_boxes_and_owners_need_not_wait() -> None:
    part = offer_of("1.1.0", percentage=30)
    boxes = [replace(BOX, device_id=f"device-{number}") for number in range(2000)]
    taken = sum(chosen(part, box=box) is not None for box in boxes)
    assert 0.26 < taken / len(boxes) < 0.34
    assert all(chosen(part, box=box, by_owner=True) for box in boxes)
    assert chosen(offer_of("1.1.0", percentage=0)) is None
    assert chosen(offer_of("1.1.0", percentage=100)) == "1.1.0"


@pytest.mark.parametrize(
    ("fields", "wishes", "why"),
    [
        ({"percentage": 0}, {}, "not_its_turn"),
        ({"halted": True}, {}, "withdrawn"),
        ({"minimum_version": "1.1.0"}, {}, "needs_another_first"),
        ({}, {"pinned": Version.read("1.0.0")}, "pinned"),
        ({}, {"unwanted": frozenset({"1.2.0"})}, "came_back"),
    ],
)
def test_an_owner_learns_why_the_newest_version_does_not_come(
    fields: dict[str, object], wishes: dict[str, object], why: str
) -> None:
    offers = [offer_of("1.2.0", **fields), offer_of("1.0.0")]
    held = withheld(offers, replace(BOX, **wishes))  # type: ignore[arg-type]
    assert held is not None
    sys.stdout.write(f"{held.version}: {held.why}\n")
    assert (str(held.version), held.why) == ("1.2.0", why)
    assert held.percentage == offers[0].percentage


@pytest.mark.parametrize(
    "fields", [{}, {"tier": "n100"}, {"channel": "beta"}, {"version": "1.0.0"}]
)
def test_nothing_is_withheld_that_comes_or_is_for_others(fields: dict[str, object]) -> None:
    offer = offer_of(**{"version": "1.2.0", "percentage": 100, **fields})  # type: ignore[arg-type]
    assert withheld([offer], BOX) is None
    assert withheld([], BOX) is None


def test_a_withdrawn_version_is_no_news_beside_one_whose_turn_comes() -> None:
    held = withheld([offer_of("1.3.0", halted=True), offer_of("1.2.0", percentage=0)], BOX)
    assert held is not None
    sys.stdout.write(f"{held.version}: {held.why}\n")
    assert (str(held.version), held.why) == ("1.2.0", "not_its_turn")


@given(device=st.text(max_size=40), lower=st.integers(0, 100), higher=st.integers(0, 100))
def test_a_box_in_a_rollout_stays_in_it_as_it_grows(device: str, lower: int, higher: int) -> None:
    lower, higher = sorted((lower, higher))
    if is_in_rollout(device, offer_of("1.1.0", percentage=lower)):
        assert is_in_rollout(device, offer_of("1.1.0", percentage=higher))


def test_an_unknown_version_needs_what_the_ones_before_it_need() -> None:
    known = [offer_of("1.1.0"), offer_of("2.0.0", minimum_version="1.1.0"), offer_of("3.0.0")]
    assert str(minimum_for(Version.read("2.1.0"), known)) == "1.1.0"
    assert str(minimum_for(Version.read("1.5.0"), known)) == "0.0.0"
    assert minimum_for(Version.read("1.0.0"), known) is None


def test_an_offer_is_restored_as_it_was_kept() -> None:
    offer = offer_of("1.1.0-beta.2", minimum_version="1.0.0")
    assert Offer.restored(offer.kept()) == offer
    assert Offer.restored({**offer.kept(), "source": None, "version": "?"}) is None
    assert Offer.restored({}) is None
    assert offer.released_at - NOON == timedelta(0)


@pytest.mark.parametrize(
    "fields",
    [
        {"version": "1.0"},
        {"version": 1},
        {"manifest_hash": "A" * 64},
        {"notes": {"en": 5}},
        {"notes": {"en": "x" * 30_000}},
        {"released_at": "2026-01-01T00:00:00"},
        {"released_at": None},
        {"percentage": "many"},
        {"percentage": float("inf")},
        {"tier": "x" * 100},
    ],
)
def test_a_description_that_cannot_be_acted_on_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        offer_of(**{"version": "1.1.0", **fields})  # type: ignore[arg-type]


ORDERED = ["0.9.9", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta.2"]
ORDERED += ["1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "1.0.1", "1.10.0", "2.0.0"]


def test_box_and_bench_order_versions_alike() -> None:
    assert [str(one) for one in sorted(map(Version.read, reversed(ORDERED)))] == ORDERED
    assert [str(one) for one in sorted(map(PublishedVersion.read, reversed(ORDERED)))] == ORDERED


@pytest.mark.parametrize(
    "text", ["", "1", "1.2", "01.2.3", "1.2.3+build", "v1.2.3", "1.2.3-", "1.2.٣"]
)
def test_what_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no version"):
        Version.read(text)
