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
from allerac_image.layout import MIB

from .small_image import SmallImage, flip, make_small_image

DEADLINE = 60


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> SmallImage:
    """An image of more pieces than there are buffers."""
    half_empty = 2 * POOL * PIECE_BYTES + 16 * MIB
    return make_small_image(tmp_path_factory.mktemp("large"), half_empty)


def blocks_of(image: SmallImage) -> BlockMap:
    """Return its map."""
    return open_image(image.folder, "vm", image.trust).blocks


def written(image: SmallImage, channel: Channel) -> int:
    """Take everything as a drive does; return how many bytes came, all compared."""
    count = 0
    with image.raw.open("rb") as raw:
        for piece in channel.pieces():
            raw.seek(piece.offset)
            assert bytes(piece.content) == raw.read(len(piece.content))
            count += len(piece.content)
    return count


def require_failed(image: SmallImage, blocks: BlockMap, told: str) -> None:
    """Send the image to a drive that takes all that comes, and has to hear why it is bad."""
    channel = Channel()
    start(Broadcast(image.raw, blocks, [channel]))
    with pytest.raises(UnitFailed, match=told) as failure:
        for _ in channel.pieces():
            pass
    assert failure.value.cause == "image"


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
    Broadcast(large.raw, blocks, channels).run()
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
    Broadcast(large.raw, blocks, [good, hanging], stall_seconds=1.0).run()
    other.join(DEADLINE)
    assert counts == [blocks.mapped_bytes]
    answers.set()
    taker.join(DEADLINE)
    assert failures == ["stalled"]


def test_drive_that_does_not_even_clear_is_given_up(small_image: SmallImage) -> None:
    blocks = blocks_of(small_image)
    good, hanging = Channel(), Channel()
    start(Broadcast(small_image.raw, blocks, [hanging, good], clearing_seconds=1.0))
    assert written(small_image, good) == blocks.mapped_bytes
    with pytest.raises(UnitFailed) as failure:
        written(small_image, hanging)
    assert failure.value.cause == "stalled"


def test_image_that_changes_while_it_is_read_fails_every_drive(own_image: SmallImage) -> None:
    blocks = blocks_of(own_image)
    with own_image.raw.open("r+b") as file:
        file.truncate(own_image.raw.stat().st_size // 2)
    require_failed(own_image, blocks, "it ends before byte")


@pytest.mark.parametrize("place", ["first", "last"])
def test_image_with_one_other_byte_fails_every_drive(own_image: SmallImage, place: str) -> None:
    blocks = blocks_of(own_image)
    span = blocks.spans[0 if place == "first" else -1]
    flip(own_image.raw, span.end - 1)
    require_failed(own_image, blocks, f"the blocks at byte {span.offset} are not those")


def test_image_that_is_not_there_fails_every_drive(own_image: SmallImage) -> None:
    blocks = blocks_of(own_image)
    own_image.raw.unlink()
    require_failed(own_image, blocks, "No such file")


def test_what_was_written_is_read_from_the_drive_itself(
    small_image: SmallImage, tmp_path: Path
) -> None:
    drive = tmp_path / "drive.img"
    size = small_image.raw.stat().st_size
    with drive.open("wb") as file:
        file.truncate(size)
    blocks = blocks_of(small_image)
    disk, channel = FileDisk(drive, size), Channel()
    start(Broadcast(small_image.raw, blocks, [channel]))
    progress = Progress(2 * blocks.mapped_bytes)
    seconds = write_image(disk, blocks, channel, progress)
    assert 0 < seconds < time.monotonic()
    assert progress.done_bytes == progress.total_bytes
    buffer = memoryview(aligned_buffer(PIECE_BYTES))
    disk.read(0, buffer)
    disk.close()
    with small_image.raw.open("rb") as raw:
        assert bytes(buffer) == raw.read(PIECE_BYTES)
