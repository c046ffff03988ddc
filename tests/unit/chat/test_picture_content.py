"""A picture is known by its bytes, and keeps nothing of who made it, where, or with what."""

import struct

import pytest

from allerac.chat.pictures.content import MAX_PIXELS, clean
from allerac.errors import InvalidInput
from tests import pictures

SIZES = {"png": (2, 3), "gif": (1, 1), "webp": (1, 1), "jpeg": (8, 16)}


@pytest.mark.parametrize("kind", pictures.ALL)
def test_picture_is_known_by_its_bytes_and_tells_nothing_of_its_place(kind: str) -> None:
    found = clean(pictures.ALL[kind])
    assert (found.kind, (found.width, found.height)) == (kind, SIZES[kind])
    assert pictures.PLACE in pictures.ALL[kind]
    assert pictures.PLACE not in found.data
    for trace in (b"XMP", b"Comment", b"ns.adobe.com"):
        assert trace not in found.data


@pytest.mark.parametrize("kind", pictures.ALL)
def test_what_was_cleaned_once_stays_as_it_is(kind: str) -> None:
    found = clean(pictures.ALL[kind])
    assert clean(found.data) == found


@pytest.mark.parametrize("endian", ["<", ">"])
def test_photograph_stays_upright(endian: str) -> None:
    data = clean(pictures.jpeg(endian=endian)).data
    assert data.count(b"Exif\0\0") == 1
    assert struct.pack(">HHIHH", 0x0112, 3, 1, pictures.RIGHT_SIDE_UP, 0) in data


@pytest.mark.parametrize("orientation", [0, 1, 9, 65535])
def test_of_an_upright_photograph_no_exif_is_left(orientation: int) -> None:
    assert b"Exif" not in clean(pictures.jpeg(orientation=orientation)).data


def test_animation_still_plays_for_ever() -> None:
    assert b"NETSCAPE2.0" in clean(pictures.gif()).data


@pytest.mark.parametrize("kind", pictures.ALL)
def test_picture_that_is_cut_is_refused_wherever_it_is_cut(kind: str) -> None:
    whole = pictures.ALL[kind].removesuffix(pictures.PLACE)
    for length in range(len(whole) - 1):
        with pytest.raises(InvalidInput):
            clean(whole[:length])


@pytest.mark.parametrize(
    "data",
    [b"", b"<svg onload='alert(1)'/>", b"%PDF-1.7", b"BM" + bytes(60), b"RIFF\0\0\0\0WAVEfmt "],
)
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidInput, match="not a picture"):
        clean(data)


@pytest.mark.parametrize("brand", [b"heic", b"mif1"])
def test_picture_of_a_telephone_s_own_format_is_refused_with_a_way_out(brand: bytes) -> None:
    data = b"\0\0\0\x18ftyp" + brand + b"\0\0\0\0mif1heic" + bytes(64)
    with pytest.raises(InvalidInput, match="HEIC") as refused:
        clean(data)
    assert "JPEG" in (refused.value.hint or "")


@pytest.mark.parametrize(("width", "height"), [(0, 5), (MAX_PIXELS, 2), (2**31 - 1, 2**31 - 1)])
def test_picture_that_no_browser_could_show_is_refused(width: int, height: int) -> None:
    small = pictures.png()
    data = small[:16] + struct.pack(">II", width, height) + small[24:]
    with pytest.raises(InvalidInput, match="too large"):
        clean(data)
