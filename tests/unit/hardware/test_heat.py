"""When a processor counts as hot."""

from pathlib import Path

import pytest

from allerac.hardware.heat import is_hot


def _zone(folder: Path, celsius: object, **trips: int) -> None:
    zone = folder / "thermal_zone0"
    zone.mkdir()
    (zone / "temp").write_text(f"{celsius}\n")
    for number, (kind, limit) in enumerate(trips.items()):
        (zone / f"trip_point_{number}_type").write_text(f"{kind}\n")
        (zone / f"trip_point_{number}_temp").write_text(f"{limit}\n")


@pytest.mark.parametrize(
    ("millidegrees", "trips", "hot"),
    [
        (60_000, {"passive": 95_000, "critical": 105_000}, False),
        (89_999, {"passive": 95_000, "critical": 105_000}, False),
        (90_000, {"passive": 95_000, "critical": 105_000}, True),
        (80_000, {"active": 50_000}, False),  # a fan that turns is no throttling
        (91_000, {}, True),
        (89_000, {}, False),
        (60_000, {"critical": -274_000}, False),  # a trip point that is switched off
        ("", {}, False),
        ("warm", {}, False),
    ],
)
def test_it_is_hot_where_it_slows_down_or_soon_will(
    tmp_path: Path, millidegrees: object, trips: dict[str, int], hot: bool
) -> None:
    _zone(tmp_path, millidegrees, **trips)
    assert is_hot(tmp_path) is hot


def test_where_nobody_measures_nothing_is_hot(tmp_path: Path) -> None:
    assert not is_hot(tmp_path)
    assert not is_hot(tmp_path / "missing")
