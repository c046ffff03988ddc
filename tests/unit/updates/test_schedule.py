"""When something is due."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from allerac.storage.box import BoxRecord
from allerac.storage.updates import UpdateRecord
from allerac.updates.schedule import Moment, back_off, due, is_quiet, next_quiet

from .household import NOON, offer_of

BOX = BoxRecord("0197-device", "abcd", "Box", "Europe/Berlin", "de", NOON, None, True, 3)
NIGHT = datetime(2026, 11, 21, 2, 20, tzinfo=UTC)
OFFER = offer_of("1.1.0").kept()
CHECKED = UpdateRecord(checked_at=NOON - timedelta(hours=1))
AVAILABLE = replace(CHECKED, state="available", offer=OFFER)
INSTALLED = replace(CHECKED, state="installed", offer=OFFER)


def act(
    record: UpdateRecord,
    box: BoxRecord = BOX,
    *,
    now: datetime = NOON,
    busy: bool = False,
    for_all: bool = True,
    may_come: bool = True,
) -> str | None:
    return due(record, box, Moment(now, busy, for_all, may_come))


def test_a_check_is_due_about_once_a_day_at_a_time_of_the_boxs_own() -> None:
    assert act(UpdateRecord()) == "check"
    assert act(replace(CHECKED, checked_at=NOON - timedelta(hours=21, minutes=59))) is None
    assert act(replace(CHECKED, checked_at=NOON - timedelta(hours=26))) == "check"
    ages = [timedelta(hours=22 + number / 10) for number in range(41)]
    firsts = {
        next(age for age in ages if act(replace(CHECKED, checked_at=NOON - age), box) == "check")
        for box in (replace(BOX, device_id=f"device-{number}") for number in range(200))
    }
    assert len(firsts) > 20


def test_nothing_is_fetched_before_the_claim_or_against_the_households_wish() -> None:
    for box in (replace(BOX, claimed_at=None), replace(BOX, automatic_updates=False)):
        assert act(UpdateRecord(), box) is None
        assert act(AVAILABLE, box) is None
        assert act(INSTALLED, box, now=NIGHT) is None


def test_what_is_available_is_installed_while_the_box_is_used_unless_it_is_for_others() -> None:
    assert act(AVAILABLE, busy=True) == "install"
    assert act(AVAILABLE, for_all=False) is None


def test_a_restart_waits_for_the_quiet_hour_and_for_people() -> None:
    assert act(INSTALLED) is None
    assert act(INSTALLED, now=NIGHT, busy=True) is None
    assert act(INSTALLED, now=NIGHT) == "restart"


def test_a_postponement_holds_back_what_happens_by_itself_but_not_for_ever() -> None:
    later = NIGHT + timedelta(days=2)
    assert act(replace(INSTALLED, postponed_until=later), now=NIGHT) is None
    assert act(replace(AVAILABLE, postponed_until=later), now=NIGHT) is None
    assert (
        act(replace(INSTALLED, postponed_until=later), now=NIGHT + timedelta(days=3)) == "restart"
    )
    wrong_clock = NIGHT + timedelta(days=7000)
    assert act(replace(INSTALLED, postponed_until=wrong_clock), now=NIGHT) == "restart"


def test_what_was_cut_off_goes_on_after_a_while_also_when_a_person_began_it() -> None:
    cut = replace(AVAILABLE, history_id="h", tries=1, not_before=NOON + timedelta(minutes=4))
    by_hand = replace(BOX, automatic_updates=False)
    assert act(cut, by_hand) is None
    assert act(cut, by_hand, now=NOON + timedelta(minutes=4)) == "install"
    assert act(replace(cut, not_before=NOON + timedelta(days=7000)), by_hand) == "install"


def test_what_may_no_longer_come_neither_goes_on_nor_starts() -> None:
    cut = replace(AVAILABLE, history_id="h")
    assert act(cut, for_all=False) == "install"
    assert act(cut, for_all=False, may_come=False) is None
    assert act(INSTALLED, now=NIGHT, may_come=False) is None


def test_pauses_grow_to_six_hours() -> None:
    pauses = [back_off(tries) for tries in range(1, 30)]
    assert pauses == sorted(pauses)
    assert pauses[0] == timedelta(minutes=4)
    assert pauses[-1] == timedelta(hours=6)


@pytest.mark.parametrize("state", ["checking", "downloading", "rebooting", "proving"])
def test_what_is_under_way_is_looked_after(state: str) -> None:
    assert act(replace(CHECKED, state=state)) == "reconcile"


def test_the_quiet_hour_follows_the_zone_and_its_summer() -> None:
    assert is_quiet(datetime(2026, 7, 1, 1, 59, tzinfo=UTC), BOX)
    assert not is_quiet(datetime(2026, 7, 1, 2, 0, tzinfo=UTC), BOX)
    assert is_quiet(datetime(2026, 12, 1, 2, 0, tzinfo=UTC), BOX)
    tokyo = replace(BOX, time_zone="Asia/Tokyo")
    assert is_quiet(datetime(2026, 12, 1, 18, 30, tzinfo=UTC), tokyo)


def test_an_hour_that_the_change_of_clocks_skips_begins_after_it() -> None:
    at_two = replace(BOX, update_hour=2)
    assert next_quiet(datetime(2026, 3, 28, 20, tzinfo=UTC), at_two) == datetime(
        2026, 3, 29, 1, tzinfo=UTC
    )


def test_a_quiet_hour_before_midnight_ends_after_it() -> None:
    late = replace(BOX, update_hour=23, time_zone="UTC")
    assert is_quiet(datetime(2026, 12, 1, 23, 59, tzinfo=UTC), late)
    now = datetime(2026, 12, 1, 23, 30, tzinfo=UTC)
    assert next_quiet(now, late) == now
    assert next_quiet(datetime(2026, 12, 2, 0, 30, tzinfo=UTC), late).day == 2
