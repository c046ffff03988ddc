"""An image is read once for all drives, and no drive can hold the others up for ever."""

import threading
import time
from pathlib import Path

import pytest

from allerac_factory.bmap import BlockMap
from allerac_factory.broadcast import PIECE_BYTES, POOL, Broadcast, Channel
from allerac_factory.disk import aligned_buffer
from allerac_factory.errors import UnitFailed
from allerac_factory.image_set import open_image
from allerac_factory.practice import FileDisk
from allerac_factory.writing import Progress, write_image

from .small_image import SmallImage, make_small_image

DEADLINE = 60


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> SmallImage:
    """An image of more pieces than there are buffers."""
    return make_small_image(tmp_path_factory.mktemp("large"), 4 * POOL * PIECE_BYTES)


def blocks_of(image: SmallImage) -> BlockMap:
    """Return its map."""
    return open_image(image.folder, "vm", image.trust).blocks


def packed(image: SmallImage) -> Path:
    """Return the compressed image."""
    (path,) = image.folder.glob("*.img.zst")
    return path


def written(image: SmallImage, channel: Channel) -> int:
    """Take everything as a drive does; return how many bytes came, all compared."""
    raw, count = image.raw.read_bytes(), 0
    for piece in channel.pieces():
        assert bytes(piece.content) == raw[piece.offset : piece.offset + len(piece.content)]
        count += len(piece.content)
    return count


def start(broadcast: Broadcast) -> None:
    """Read the image beside the test."""
    threading.Thread(target=broadcast.run, daemon=True).start()


def test_every_drive_gets_every_mapped_byte(large: SmallImage) -> None:
    blocks = blocks_of(large)
    assert blocks.mapped_bytes > POOL * PIECE_BYTES
    channels = [Channel() for _ in range(3)]
    counts: list[int] = []
    takers = [
        threading.Thread(target=lambda c=channel: counts.append(written(large, c)))
        for channel in channels
    ]
    for taker in takers:
        taker.start()
    Broadcast(packed(large), blocks, channels).run()
    for taker in takers:
        taker.join(DEADLINE)
    assert counts == [blocks.mapped_bytes] * 3


def test_drive_that_does_not_answer_is_given_up_and_the_others_go_on(large: SmallImage) -> None:
    blocks = blocks_of(large)
    good, hanging = Channel(), Channel()
    answers, failures = threading.Event(), []

    def hang() -> None:
        try:
            for _ in hanging.pieces():
                answers.wait(DEADLINE)
        except UnitFailed as failure:
            failures.append(failure.cause)

    taker = threading.Thread(target=hang)
    taker.start()
    counts: list[int] = []
    other = threading.Thread(target=lambda: counts.append(written(large, good)))
    other.start()
    Broadcast(packed(large), blocks, [good, hanging], stall_seconds=1.0).run()
    other.join(DEADLINE)
    assert counts == [blocks.mapped_bytes]
    answers.set()
    taker.join(DEADLINE)
    assert failures == ["stalled"]


def test_drive_that_does_not_even_clear_is_given_up(small_image: SmallImage) -> None:
    blocks = blocks_of(small_image)
    good, hanging = Channel(), Channel()
    start(Broadcast(packed(small_image), blocks, [hanging, good], clearing_seconds=1.0))
    assert written(small_image, good) == blocks.mapped_bytes
    with pytest.raises(UnitFailed) as failure:
        written(small_image, hanging)
    assert failure.value.cause == "stalled"


def test_image_that_changes_while_it_is_read_fails_every_drive(own_image: SmallImage) -> None:
    blocks = blocks_of(own_image)
    with packed(own_image).open("r+b") as file:
        file.truncate(packed(own_image).stat().st_size // 2)
    channel = Channel()
    start(Broadcast(packed(own_image), blocks, [channel]))
    with pytest.raises(UnitFailed) as failure:
        written(own_image, channel)
    assert failure.value.cause == "image"


def test_what_was_written_is_read_from_the_drive_itself(
    small_image: SmallImage, tmp_path: Path
) -> None:
    drive = tmp_path / "drive.img"
    size = small_image.raw.stat().st_size
    with drive.open("wb") as file:
        file.truncate(size)
    blocks = blocks_of(small_image)
    disk, channel = FileDisk(drive, size), Channel()
    start(Broadcast(packed(small_image), blocks, [channel]))
    progress = Progress(2 * blocks.mapped_bytes)
    seconds = write_image(disk, blocks, channel, progress)
    assert 0 < seconds < time.monotonic()
    assert progress.done_bytes == progress.total_bytes
    buffer = memoryview(aligned_buffer(PIECE_BYTES))
    disk.read(0, buffer)
    disk.close()
    assert bytes(buffer) == small_image.raw.read_bytes()[:PIECE_BYTES]
