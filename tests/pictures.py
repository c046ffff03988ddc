"""Pictures of every kind that the box shows, each with what must not stay: a place, a comment."""

import struct
import zlib
from typing import Final

PLACE: Final = b"52.520008 N 13.404954 E"
"""What a camera wrote about where it was, in every picture here."""

RIGHT_SIDE_UP: Final = 6
"""Exif's number for a picture taken with the camera upright."""


def png(width: int = 2, height: int = 3, *, chunks: bytes = b"") -> bytes:
    """Return a grey picture with a text chunk, Exif, and something hidden behind its end."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = b"".join(b"\0" + b"\x80" * width for _ in range(height))
    body = _chunk(b"tEXt", b"Comment\0" + PLACE) + _chunk(b"eXIf", PLACE) + chunks
    picture = _chunk(b"IHDR", header) + body + _chunk(b"IDAT", zlib.compress(rows))
    return b"\x89PNG\r\n\x1a\n" + picture + _chunk(b"IEND", b"") + PLACE


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def gif() -> bytes:
    """Return an animation without end of one black dot, with a comment and XMP."""
    screen = b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0x80, 0, 0) + bytes(6)
    loop = b"\x21\xff\x0bNETSCAPE2.0\x03\x01\0\0\0"
    comment = b"\x21\xfe" + bytes([len(PLACE)]) + PLACE + b"\0"
    xmp = b"\x21\xff\x0bXMP DataXMP" + bytes([len(PLACE)]) + PLACE + b"\0"
    control = b"\x21\xf9\x04\0\x0a\0\0\0"
    dot = b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\0"
    return screen + loop + comment + xmp + control + dot + b"\x3b" + PLACE


def webp() -> bytes:
    """Return a WebP of one dot, lossless, with Exif and XMP."""
    lossless = bytes.fromhex("2f000000000750c00216b0ff8188e87f00")
    extended = bytes([0x0C]) + bytes(9)
    chunks = (
        _riff(b"VP8X", extended)
        + _riff(b"VP8L", lossless)
        + _riff(b"EXIF", PLACE)
        + _riff(b"XMP ", PLACE)
    )
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WEBP" + chunks


def _riff(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def jpeg(*, orientation: int = RIGHT_SIDE_UP, endian: str = "<") -> bytes:
    """Return a grey picture of 8 x 16 dots with Exif, a comment, and a film behind its end."""
    order = b"II*\0" if endian == "<" else b"MM\0*"
    entries = struct.pack(f"{endian}HHIHH", 0x0112, 3, 1, orientation, 0)
    tiff = order + struct.pack(f"{endian}IH", 8, 1) + entries + bytes(4) + PLACE
    quantisation = b"\0" + b"\x01" * 64
    frame = struct.pack(">BHHBBBB", 8, 16, 8, 1, 1, 0x11, 0)
    table = bytes([1, *bytes(15), 0])
    tables = _segment(0xC4, b"\0" + table) + _segment(0xC4, b"\x10" + table)
    scan = _segment(0xDA, bytes([1, 1, 0, 0, 63, 0])) + b"\x0f\xff\0\xff\xd0\x0f"
    return (
        b"\xff\xd8"
        + _segment(0xE0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0")
        + _segment(0xE1, b"Exif\0\0" + tiff)
        + _segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + PLACE)
        + _segment(0xFE, PLACE)
        + _segment(0xDB, quantisation)
        + b"\xff"
        + _segment(0xC0, frame)
        + tables
        + scan
        + b"\xff\xd9"
        + PLACE
    )


def _segment(marker: int, body: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body


ALL: Final = {"png": png(), "gif": gif(), "webp": webp(), "jpeg": jpeg()}
