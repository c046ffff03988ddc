"""The engine's wheel is made smaller and stays a wheel."""

from pathlib import Path
from zipfile import ZipFile

import pytest

from bootstrap.wheel import slim

RECORD = "engine-1.dist-info/RECORD"
NEEDED = {
    "llama_cpp/__init__.py",
    "llama_cpp/lib/libllama.so",
    "llama_cpp/lib/libllama.so.0",
    RECORD,
}
LEFT_OUT = {"lib/libllama.so", "lib/pkgconfig/llama.pc", "include/llama.h"}


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    path = tmp_path / "engine-1-py3-none-any.whl"
    names = sorted(NEEDED | LEFT_OUT | {"llama_cpp/lib/libllama.so.0.5.0"})
    with ZipFile(path, "w") as made:
        for name in names:
            rows = "".join(f"{row},,\n" for row in names)
            made.writestr(name, rows if name == RECORD else f"content of {name}")
    return path


def test_leaves_out_what_nothing_loads(wheel: Path, tmp_path: Path) -> None:
    with ZipFile(slim(wheel, tmp_path / "slim")) as made:
        assert set(made.namelist()) == NEEDED
        assert made.read("llama_cpp/lib/libllama.so") == b"content of llama_cpp/lib/libllama.so"


def test_its_record_lists_what_is_there(wheel: Path, tmp_path: Path) -> None:
    with ZipFile(slim(wheel, tmp_path / "slim")) as made:
        rows = made.read(RECORD).decode().splitlines()
    assert {row.split(",")[0] for row in rows} == NEEDED


def test_the_same_wheel_gives_the_same_bytes(wheel: Path, tmp_path: Path) -> None:
    first = slim(wheel, tmp_path / "a").read_bytes()
    assert slim(wheel, tmp_path / "b").read_bytes() == first
    assert [path.name for path in (tmp_path / "a").iterdir()] == [wheel.name]
