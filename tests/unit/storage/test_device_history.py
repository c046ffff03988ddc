"""Samples and issues of the device: folded, bounded, and worth no trouble when they are lost."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlite_utils import Database

from allerac.errors import StorageUnavailable
from allerac.storage.device_history import (
    LEVELS,
    DeviceHistory,
    Level,
    StoredAlert,
    StoredIssue,
    StoredReaction,
)

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
TEN, MINUTE, QUARTER = LEVELS


@pytest.fixture
def history(tmp_path: Path) -> Iterator[DeviceHistory]:
    history = DeviceHistory(tmp_path / "health.sqlite")
    yield history
    history.close()


def fill(history: DeviceHistory, seconds: int, *, begin: datetime = NOON) -> datetime:
    """Add a sample every ten seconds whose value is its number; return the time after it."""
    end = begin + timedelta(seconds=seconds)
    rows = [
        (begin + timedelta(seconds=10 * n), {"celsius": float(n)}) for n in range(seconds // 10)
    ]
    history.add(rows, end)
    return end


def test_a_day_a_week_and_thirty_days_are_kept() -> None:
    spans = [(level.seconds, timedelta(seconds=level.seconds * level.rows)) for level in LEVELS]
    days = [(10, 1), (60, 7), (900, 30)]
    assert spans == [(seconds, timedelta(days=count)) for seconds, count in days]


def test_what_is_still_to_be_told_replaces_what_was(history: DeviceHistory) -> None:
    assert history.alerts() == []
    issue = StoredIssue("1", "hot", "", "warning", {"celsius": 91}, NOON, NOON, None)
    over = StoredIssue("2", "hot", "cpu", "critical", {}, NOON, NOON, NOON)
    waiting = [StoredAlert("opened", "", 0, issue), StoredAlert("recovered", "mail", 2, over)]
    history.keep_alerts(waiting)
    assert history.alerts() == waiting
    history.keep_alerts(waiting[1:])
    assert history.alerts() == waiting[1:]
    history.keep_alerts([])
    assert history.alerts() == []


def test_samples_are_folded_into_their_means(history: DeviceHistory) -> None:
    fill(history, 1800)
    assert len(history.series(TEN, NOON, 10)) == 180
    minutes = history.series(MINUTE, NOON, 60)
    assert [row["celsius"] for row in minutes[:2]] == [2.5, 8.5]
    assert [row["celsius"] for row in history.series(QUARTER, NOON, 900)] == [44.5, 134.5]
    assert minutes[1]["at"] == NOON + timedelta(minutes=1)


def test_a_sensor_that_appears_later_is_kept_too(history: DeviceHistory) -> None:
    history.add([(NOON, {"celsius": 40.0})], NOON)
    later = NOON + timedelta(minutes=1)
    history.add([(later, {"celsius": 41.0, "fan_turns": 900.0})], later)
    assert [row["fan_turns"] for row in history.series(TEN, NOON, 10)] == [None, 900.0]


def test_each_level_is_bounded(tmp_path: Path) -> None:
    small = tuple(Level(level.table, level.seconds, 5) for level in LEVELS)
    history = DeviceHistory(tmp_path / "health.sqlite", small)
    fill(history, 6000)
    for level in small:
        assert len(history.series(level, NOON - timedelta(days=1), level.seconds)) == 5
    history.close()


def test_a_clock_that_jumps_ahead_and_back_costs_nothing(history: DeviceHistory) -> None:
    fill(history, 600)
    far = NOON + timedelta(days=3650)
    history.add([(far, {"celsius": 1.0})], far)
    assert len(history.series(TEN, NOON, 10)) == 61
    back = NOON + timedelta(minutes=11)
    history.add([(back, {"celsius": 2.0})], back)
    assert [row["celsius"] for row in history.series(TEN, NOON, 10)][-1] == 2.0
    assert len(history.series(TEN, NOON, 10)) == 61


def test_a_damaged_file_is_set_aside_and_begun_anew(tmp_path: Path) -> None:
    file = tmp_path / "health.sqlite"
    file.write_bytes(b"this is no database" * 500)
    history = DeviceHistory(file)
    with pytest.raises(StorageUnavailable):
        history.add([(NOON, {"celsius": 1.0})], NOON)
    history.add([(NOON, {"celsius": 1.0})], NOON)
    assert len(history.series(TEN, NOON, 10)) == 1
    assert file.with_suffix(".damaged").exists()
    history.close()


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    history = DeviceHistory(tmp_path / "file" / "health.sqlite")
    with pytest.raises(StorageUnavailable):
        history.series(TEN, NOON, 10)


def test_issues_come_back_as_they_were_kept(history: DeviceHistory) -> None:
    assert history.issues(lasting=True) == []
    issue = StoredIssue("1", "hot", "", "warning", {"celsius": 91}, NOON, NOON, None)
    history.keep_issue(issue)
    assert history.issues(lasting=True) == [issue]
    over = StoredIssue("1", "hot", "", "critical", {"celsius": 99}, NOON, NOON, NOON)
    history.keep_issue(over)
    assert history.issues(lasting=True) == []
    assert history.issues(lasting=False) == [over]


def test_issues_of_a_time_are_those_that_were_not_over_by_then(history: DeviceHistory) -> None:
    assert history.issues_since(NOON) == []
    hour = timedelta(hours=1)
    lasts = StoredIssue("1", "hot", "", "warning", {}, NOON - hour, NOON, None)
    over = StoredIssue("2", "hot", "", "warning", {}, NOON - 2 * hour, NOON, NOON - hour)
    for issue in (lasts, over):
        history.keep_issue(issue)
    assert history.issues_since(NOON - hour) == [lasts, over]
    assert history.issues_since(NOON) == [lasts]


def test_reactions_come_back_end_with_the_process_and_are_bounded(history: DeviceHistory) -> None:
    history.end_reactions()
    assert history.reactions_since(NOON) == []
    later = NOON + timedelta(minutes=5)
    slow, pause = (StoredReaction(code, NOON, None) for code in ("slow", "pause"))
    history.keep_reactions([slow, pause])
    over = StoredReaction("pause", NOON, later)
    history.keep_reactions([over])
    assert set(history.reactions_since(NOON)) == {slow, over}
    assert history.reactions_since(later + timedelta(minutes=1)) == [slow]
    last = fill(history, 600) - timedelta(seconds=10)
    history.end_reactions()
    assert set(history.reactions_since(NOON)) == {StoredReaction("slow", NOON, last), over}
    many = [StoredReaction("slow", last + timedelta(seconds=n), last) for n in range(1500)]
    history.keep_reactions(many)
    assert len(history.reactions_since(NOON)) == 1000


def test_anybody_can_open_the_file(history: DeviceHistory, tmp_path: Path) -> None:
    fill(history, 60)
    database = Database(tmp_path / "health.sqlite")
    assert database["sample_10s"].count == 6
    database.close()
