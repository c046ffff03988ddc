"""Speeds and estimates are kept in a file of the device's own, bounded and never dear."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from allerac.errors import StorageUnavailable
from allerac.storage.calibration import (
    ESTIMATES_KEPT,
    Calibration,
    CalibrationStore,
    Estimate,
)

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def measured(model_id: str, decode: float) -> Calibration:
    return Calibration(model_id, "1.0", NOON, 100.0, decode)


@pytest.fixture
def store(tmp_path: Path) -> CalibrationStore:
    return CalibrationStore(tmp_path / "device" / "calibration.sqlite")


def test_newest_measurement_of_each_model_is_told(store: CalibrationStore) -> None:
    for one in (measured("a", 10.0), measured("b", 20.0), measured("a", 12.0)):
        store.add(one)
    assert store.latest() == [measured("a", 12.0), measured("b", 20.0)]


def test_nothing_is_known_before_anything_is_measured(store: CalibrationStore) -> None:
    assert store.latest() == []
    assert store.estimates(10) == []


def test_estimates_come_newest_first_and_are_bounded(store: CalibrationStore) -> None:
    many = [Estimate("a", NOON, float(n), 1.0) for n in range(ESTIMATES_KEPT + 5)]
    store.add_estimates(many)
    assert [e.estimated_seconds for e in store.estimates(2)] == [
        ESTIMATES_KEPT + 4.0,
        ESTIMATES_KEPT + 3.0,
    ]
    assert len(store.estimates(ESTIMATES_KEPT * 2)) == ESTIMATES_KEPT


def test_damaged_file_is_set_aside_and_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "calibration.sqlite"
    path.write_bytes(b"no database" * 1000)
    store = CalibrationStore(path)
    with pytest.raises(StorageUnavailable):
        store.latest()
    store.add(measured("a", 10.0))
    assert store.latest() == [measured("a", 10.0)]


def test_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageUnavailable):
        CalibrationStore(tmp_path / "file" / "calibration.sqlite").add(measured("a", 1.0))
