"""What is due now: a pure function of the record, the household's wishes and the time."""

import hashlib
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from types import MappingProxyType
from typing import Any, Final, Literal

from allerac.storage.box import BoxRecord
from allerac.storage.updates import UpdateRecord

from .states import RESTING

Act = Literal["reconcile", "check", "install", "restart"]

CHECK_EVERY: Final = timedelta(days=1)
JITTER: Final = timedelta(hours=4)
QUIET: Final = timedelta(hours=1)
BACKOFF: Final = timedelta(minutes=2)
LONGEST_BACKOFF: Final = timedelta(hours=6)
MOST_TRIES: Final = 20
LONGEST_POSTPONEMENT: Final = timedelta(days=30)
UNTRIED: Final[Mapping[str, Any]] = MappingProxyType({"tries": 0, "not_before": None})
"""What the record says once something went well."""


@dataclass(frozen=True, slots=True)
class Moment:
    """Now, whether somebody is using the box, and whether what is available comes by itself.

    `may_come` tells whether what was begun may still go on: not beyond a version that is to stay.
    """

    now: datetime
    is_busy: bool
    is_for_all: bool
    may_come: bool


def due(record: UpdateRecord, box: BoxRecord, moment: Moment) -> Act | None:
    """Return what to do now; nobody is disturbed and nothing is fetched unless it was wished."""
    if record.state not in (*RESTING, "installed"):
        return "reconcile"
    if not _is_over(record.not_before, moment.now, LONGEST_BACKOFF):
        return None
    if record.state == "available" and record.history_id is not None and moment.may_come:
        return "install"  # begun before, and cut off
    if box.claimed_at is None or not box.automatic_updates:
        return None
    return _wished(record, box, moment)


def _wished(record: UpdateRecord, box: BoxRecord, moment: Moment) -> Act | None:
    free = _is_over(record.postponed_until, moment.now, LONGEST_POSTPONEMENT)
    if record.state == "installed":
        quiet = is_quiet(moment.now, box) and not moment.is_busy
        return "restart" if free and quiet and moment.may_come else None
    if record.state == "available" and moment.is_for_all and free:
        return "install"
    return "check" if _is_check_due(record, box, moment.now) else None


def try_later(tries: int, now: datetime) -> dict[str, Any]:
    """Return what the record says after one more failure behind `tries` others in a row."""
    return {"tries": tries + 1, "not_before": now + back_off(tries + 1)}


def back_off(tries: int) -> timedelta:
    """Return how long to wait after so many failures in a row."""
    return min(BACKOFF * (1 << min(tries, 10)), LONGEST_BACKOFF)


def is_quiet(now: datetime, box: BoxRecord) -> bool:
    """Tell whether it is the household's quiet hour."""
    today = now.astimezone(_zone(box)).date()
    begins = (_quiet_on(today - timedelta(days=days), box) for days in (0, 1))
    return any(begin <= now < begin + QUIET for begin in begins)


def next_quiet(now: datetime, box: BoxRecord) -> datetime:
    """Return when the next quiet hour begins, or now within one."""
    if is_quiet(now, box):
        return now
    today = now.astimezone(_zone(box)).date()
    begins = (_quiet_on(today + timedelta(days=days), box) for days in range(3))
    return next(begin for begin in begins if begin > now)


def _quiet_on(day: date, box: BoxRecord) -> datetime:
    """Return the begin in UTC; an hour that a change of clocks skips begins after it."""
    local = datetime.combine(day, time(box.update_hour), _zone(box))
    return local.astimezone(UTC)


def _zone(box: BoxRecord) -> zoneinfo.ZoneInfo:
    return zoneinfo.ZoneInfo(box.time_zone)


def _is_check_due(record: UpdateRecord, box: BoxRecord, now: datetime) -> bool:
    """Spread the boxes of the world over some hours, each its own way every day."""
    if record.checked_at is None or record.checked_at > now:
        return True
    seed = f"{box.device_id}:{record.checked_at.date()}".encode()
    part = int.from_bytes(hashlib.sha256(seed).digest()[:4]) / 2**32
    return now - record.checked_at >= CHECK_EVERY - JITTER / 2 + JITTER * part


def _is_over(until: datetime | None, now: datetime, longest: timedelta) -> bool:
    """Tell whether `until` has passed; one too far ahead was written by a wrong clock."""
    return until is None or until <= now or until - now > longest
