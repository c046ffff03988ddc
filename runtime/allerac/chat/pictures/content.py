"""What a picture is, by its bytes, and the same picture without what it tells of its maker.

Nothing is decoded here: only the outer structure is read and written anew, so that a place, a
device or a hidden second file behind the picture does not stay. The browser decodes.
"""

from dataclasses import dataclass
from typing import Final

from allerac.errors import InvalidInput
from allerac.storage.pictures import PictureKind

from . import gif, jpeg, png, webp
from .damage import Damaged, Size

MAX_PIXELS: Final = 120_000_000
"""More than today's cameras make; a browser needs four bytes for each."""
HEIF_BRANDS: Final = frozenset(
    (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
)
"""What the first box of a HEIF file calls it (ISO/IEC 23008-12, Annex B)."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture to be kept; `width` and `height` are in pixels, as it is stored."""

    kind: PictureKind
    data: bytes
    width: int
    height: int


def clean(data: bytes) -> Picture:
    """Return the picture that `data` is. Raises `InvalidInput`."""
    try:
        kind, kept, (width, height) = _cleaned(data)
    except (Damaged, IndexError) as error:
        raise InvalidInput(
            "This picture is damaged: it cannot be shown.", hint="Open it and save it anew."
        ) from error
    if not 0 < width * height <= MAX_PIXELS:
        raise InvalidInput("This picture is too large.", hint="Make it smaller and send that one.")
    return Picture(kind, kept, width, height)


def _cleaned(data: bytes) -> tuple[PictureKind, bytes, Size]:
    if data.startswith(b"\xff\xd8\xff"):
        return "jpeg", *jpeg.clean(data)
    if data.startswith(png.SIGNATURE):
        return "png", *png.clean(data)
    if data[:6] in (b"GIF87a", b"GIF89a"):
        return "gif", *gif.clean(data)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp", *webp.clean(data)
    if data[4:8] == b"ftyp" and data[8:12] in HEIF_BRANDS:
        raise InvalidInput(
            "This picture is in the format of some telephones (HEIC), which browsers do not show.",
            hint="Send it as JPEG. An iPhone: Settings, Camera, Formats, Most Compatible.",
        )
    raise InvalidInput(
        "This is not a picture that the box can show.", hint="It shows JPEG, PNG, WebP and GIF."
    )
