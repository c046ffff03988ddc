"""What the command line prints about models, and how progress reads."""

import pytest

from allerac.errors import DownloadFailed
from allerac.models.card import DownloadProgress
from allerac.models.commands import (
    list_models,
    progress_line,
    pull_model,
    remove_model,
    verify_model,
)
from allerac.models.progress import Meter

from .conftest import MODEL, Room
from .file_server import respond


class Terminal:
    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> None:
        self.text += text


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


async def test_pull_verify_list_remove(room: Room) -> None:
    terminal = Terminal()
    await pull_model(room.service, MODEL, terminal.write)
    assert f"Tiny is on board: {room.file}" in terminal.text
    assert await verify_model(room.service, MODEL, terminal.write)
    list_models(room.service, terminal.write)
    assert "on board" in terminal.text.splitlines()[-1]
    await remove_model(room.service, MODEL, terminal.write)
    assert not room.file.exists()


async def test_pull_raises_what_the_download_ended_with(room: Room) -> None:
    room.server.script.append(respond("404 Not Found"))
    with pytest.raises(DownloadFailed, match="no longer") as caught:
        await pull_model(room.service, MODEL, Terminal().write)
    assert caught.value.hint


async def test_verify_names_the_damage(room: Room) -> None:
    terminal = Terminal()
    await pull_model(room.service, MODEL, terminal.write)
    room.file.write_bytes(b"GGUF")
    assert not await verify_model(room.service, MODEL, terminal.write)
    assert "Damaged: The file has 4 bytes" in terminal.text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "time left unknown"),
        (42.4, "42 s left"),
        (600.0, "10 min left"),
        (9000.0, "2.5 h left"),
    ],
)
def test_progress_line_is_short(seconds: float | None, text: str) -> None:
    progress = DownloadProgress("m", "running", 250, 1000, 12_300_000.0, seconds)
    assert progress_line(progress) == f" 25 %  12.3 MB/s  {text}"


def test_meter_knows_a_steady_speed_from_the_first_second() -> None:
    clock = Clock()
    meter = Meter(0, clock)
    for second in range(1, 4):
        clock.now += 1
        meter.update(second * 1_000_000)
    assert meter.bytes_per_second() == pytest.approx(1_000_000)
    assert meter.seconds_left(5_000_000) == pytest.approx(5.0)


def test_meter_does_not_count_what_was_there_before() -> None:
    clock = Clock()
    meter = Meter(9_000_000, clock)
    clock.now += 1
    meter.update(9_500_000)
    assert meter.bytes_per_second() == pytest.approx(500_000)


def test_meter_falls_while_nothing_arrives_and_survives_a_restart() -> None:
    clock = Clock()
    meter = Meter(0, clock)
    clock.now += 1
    meter.update(1_000_000)
    clock.now += 60
    assert meter.bytes_per_second() < 10
    meter.update(0)
    assert meter.bytes_per_second() >= 0


def test_meter_follows_a_change_smoothly() -> None:
    clock = Clock()
    meter = Meter(0, clock)
    received = 0
    for speed in [1_000_000] * 10 + [2_000_000] * 3:
        clock.now += 1
        received += speed
        meter.update(received)
    assert 1_200_000 < meter.bytes_per_second() < 1_800_000
