"""Tests work in memory only where it has room and is like a disk."""

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.in_memory import ROOM_BYTES, UNLIKE_A_DISK, place_for_files


@pytest.fixture
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is as good as a disk, with room for a run."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    _offer(monkeypatch, 2 * ROOM_BYTES)
    (tmp_path / "memory").mkdir()
    return tmp_path / "memory"


def _offer(
    monkeypatch: pytest.MonkeyPatch,
    room_bytes: int,
    *,
    free_bytes: int = 2 * ROOM_BYTES,
    flags: int = 0,
) -> None:
    told = SimpleNamespace(f_bavail=room_bytes // 4096, f_frsize=4096, f_flag=flags)
    monkeypatch.setattr("os.statvfs", lambda _: told)
    free = SimpleNamespace(available=free_bytes)
    monkeypatch.setattr("psutil.virtual_memory", lambda: free)


def test_takes_memory_with_room(memory: Path) -> None:
    assert place_for_files(memory) == memory
    assert list(memory.iterdir()) == []


def test_takes_the_disk_where_there_is_no_such_folder(memory: Path) -> None:
    memory.rmdir()
    assert place_for_files(memory) == memory.parent


@pytest.mark.parametrize("has_room", ["in memory", "in the folder"])
def test_takes_the_disk_where_room_is_short(
    memory: Path, monkeypatch: pytest.MonkeyPatch, has_room: str
) -> None:
    is_short = ROOM_BYTES - 4096
    if has_room == "in memory":
        _offer(monkeypatch, is_short)
    else:
        _offer(monkeypatch, 2 * ROOM_BYTES, free_bytes=is_short)
    assert place_for_files(memory) == memory.parent


@pytest.mark.parametrize("flag", [os.ST_NODEV, os.ST_NOSUID, os.ST_NOEXEC])
def test_takes_the_disk_where_roots_cannot_run(
    memory: Path, monkeypatch: pytest.MonkeyPatch, flag: int
) -> None:
    assert flag & UNLIKE_A_DISK
    _offer(monkeypatch, 2 * ROOM_BYTES, flags=flag)
    assert place_for_files(memory) == memory.parent


def test_takes_the_disk_where_the_cache_cannot_be_passed_by(
    memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = os.open

    def refuse(path: Path, flags: int, *rest: Any, **more: Any) -> int:
        if flags & os.O_DIRECT:
            raise OSError("Invalid argument")
        return opened(path, flags, *rest, **more)

    monkeypatch.setattr("os.open", refuse)
    assert place_for_files(memory) == memory.parent
