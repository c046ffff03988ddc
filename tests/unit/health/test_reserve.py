"""The reserve: kept where there is room, given up where there is none, never in anybody's way."""

import shutil
from pathlib import Path

from allerac.health import Reserve

KIB = 1024


def test_it_takes_real_room_and_gives_it_back(tmp_path: Path) -> None:
    reserve = Reserve(tmp_path / "reserve", 64 * KIB)
    reserve.keep()
    assert (tmp_path / "reserve").stat().st_blocks * 512 >= 64 * KIB
    reserve.release()
    assert not reserve.is_kept
    reserve.release()


def test_a_machine_without_a_reserve_has_no_file(tmp_path: Path) -> None:
    reserve = Reserve(tmp_path / "reserve", 0)
    reserve.prepare()
    assert not reserve.is_wanted
    assert list(tmp_path.iterdir()) == []


def test_preparing_makes_the_folder_of_a_new_box(tmp_path: Path) -> None:
    reserve = Reserve(tmp_path / "data" / "reserve", 64 * KIB)
    reserve.prepare()
    assert reserve.is_kept


def test_it_is_never_more_than_a_fiftieth_of_the_disk(tmp_path: Path) -> None:
    reserve = Reserve(tmp_path / "reserve", 2**60)
    assert reserve.size_bytes <= 0.021 * _total(tmp_path)


def test_a_folder_that_cannot_be_made_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    Reserve(tmp_path / "file" / "reserve", 64 * KIB).prepare()


def _total(folder: Path) -> int:
    return shutil.disk_usage(folder).total
