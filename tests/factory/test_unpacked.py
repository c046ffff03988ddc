"""A station unpacks an image once, and a copy that is not what was signed makes no unit."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from allerac_factory.bmap import Span
from allerac_factory.contents import look_at
from allerac_factory.image_set import ImageSet, open_image
from allerac_factory.unpacked import KEPT, UnpackedImages
from allerac_image.errors import BadInput, ImageError

from .small_image import NAME, SmallImage, flip
from .workshop import Workshop


def opened(image: SmallImage) -> ImageSet:
    """Return the image as a job opens it."""
    return open_image(image.folder, "vm", image.trust)


def test_image_is_unpacked_once_and_takes_no_room_where_it_is_empty(
    small_image: SmallImage, tmp_path: Path
) -> None:
    shares: list[float] = []
    image, images = opened(small_image), UnpackedImages(tmp_path / "cache", shares.append)
    copy = images.get(image)
    assert copy.read_bytes() == small_image.raw.read_bytes()
    assert copy.stat().st_blocks * 512 < 1.5 * image.blocks.mapped_bytes
    assert shares[-1] == 1.0
    assert shares == sorted(shares)
    made = copy.stat().st_ino
    shares.clear()
    assert images.get(image).stat().st_ino == made
    assert shares == []


def test_copy_that_was_cut_short_is_made_anew(small_image: SmallImage, tmp_path: Path) -> None:
    images = UnpackedImages(tmp_path / "cache")
    copy = images.get(opened(small_image))
    os.truncate(copy, 4096)
    assert images.get(opened(small_image)).read_bytes() == small_image.raw.read_bytes()


def test_what_a_killed_station_left_is_removed(small_image: SmallImage, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / f".{opened(small_image).sha256}.img.part").write_bytes(b"half")
    copy = UnpackedImages(cache).get(opened(small_image))
    assert list(cache.iterdir()) == [copy]


def test_only_the_images_used_last_are_kept(small_image: SmallImage, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    for number in range(KEPT + 1):
        (cache / f"{number}.img").touch()
        os.utime(cache / f"{number}.img", (number, number))
    copy = UnpackedImages(cache).get(opened(small_image))
    assert set(cache.iterdir()) == {copy, cache / f"{KEPT}.img"}


def test_image_that_does_not_fit_is_refused_with_what_it_takes(
    small_image: SmallImage, tmp_path: Path
) -> None:
    image = opened(small_image)
    huge = replace(image, blocks=replace(image.blocks, spans=(Span(0, 1 << 62, ""),)))
    with pytest.raises(BadInput, match="make room, or name another folder by --cache"):
        UnpackedImages(tmp_path / "cache").get(huge)


def test_folder_that_cannot_be_used_is_refused_by_name(
    small_image: SmallImage, tmp_path: Path
) -> None:
    (tmp_path / "cache").write_bytes(b"a file")
    with pytest.raises(BadInput, match=r"cache cannot hold images: File exists"):
        UnpackedImages(tmp_path / "cache").get(opened(small_image))


def test_image_of_another_size_than_its_map_says_is_refused(
    small_image: SmallImage, tmp_path: Path
) -> None:
    image = opened(small_image)
    other = replace(image, blocks=replace(image.blocks, image_bytes=image.blocks.image_bytes + 1))
    with pytest.raises(ImageError, match="not as large as its map says"):
        UnpackedImages(tmp_path / "cache").get(other)
    assert list((tmp_path / "cache").iterdir()) == []


def test_signed_image_that_is_torn_touches_no_drive(
    own_image: SmallImage, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    packed = own_image.folder / f"{NAME}.img.zst"
    os.truncate(packed, packed.stat().st_size // 2)
    own_image.sign()
    workshop = Workshop(tmp_path, own_image)
    drive = workshop.drive("WD1")
    assert workshop.flash() != 0
    assert "cannot be unpacked" in capsys.readouterr().err
    assert look_at(drive).kind == "blank"
    assert workshop.acts() == []


def test_changed_copy_makes_no_unit_and_is_made_anew_by_the_next_run(workshop: Workshop) -> None:
    workshop.drive("WD1")
    workshop.drive("WD2")
    image = opened(workshop.image)
    copy = UnpackedImages(workshop.cache).get(image)
    flip(copy, image.blocks.spans[-1].offset)
    assert workshop.flash() == 1
    assert [unit.facts["cause"] for unit in workshop.units().values()] == ["image", "image"]
    assert not copy.exists()
    assert workshop.flash() == 0
    assert {unit.stage for unit in workshop.units().values()} == {"ready"}
