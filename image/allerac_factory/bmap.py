"""The map of an image's blocks that hold something (bmap-tools, format 2.0)."""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass

from allerac_image.errors import BadInput

from .disk import ALIGNMENT

NUMBER = r"<{tag}>\s*(\d+)\s*</{tag}>"
RANGE = re.compile(r'<Range chksum="([0-9a-f]{64})">\s*(\d+)(?:-(\d+))?\s*</Range>')
MAJOR = re.compile(r'<bmap version="2\.\d+">')


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes of the image; `sha256` is over all of them."""

    offset: int
    size: int
    sha256: str

    @property
    def end(self) -> int:
        """The first byte behind it."""
        return self.offset + self.size


@dataclass(frozen=True, slots=True)
class BlockMap:
    """What must be written; everything else of the image reads as zeros."""

    image_bytes: int
    spans: tuple[Span, ...]

    @property
    def mapped_bytes(self) -> int:
        """What is written to each drive."""
        return sum(span.size for span in self.spans)

    def holes(self) -> Iterator[tuple[int, int]]:
        """Yield offset and size of what lies between the spans."""
        at = 0
        for span in self.spans:
            if span.offset > at:
                yield at, span.offset - at
            at = span.end
        if at < self.image_bytes:
            yield at, self.image_bytes - at


def read_block_map(text: str, name: str) -> BlockMap:
    """Read the file `name`, whose signature was checked; raise `BadInput` when it is no map."""
    if MAJOR.search(text) is None or "<ChecksumType> sha256 </ChecksumType>" not in text:
        raise BadInput(f"{name} is no block map of format 2 with SHA-256.")
    block, image_bytes = _number(text, "BlockSize", name), _number(text, "ImageSize", name)
    if not block or block % ALIGNMENT or image_bytes % ALIGNMENT:
        raise BadInput(f"{name} counts in blocks that drives do not take: {block} bytes.")
    spans = []
    for checksum, first, last in RANGE.findall(text):
        begin, end = int(first) * block, (int(last or first) + 1) * block
        spans.append(Span(begin, min(end, image_bytes) - begin, checksum))
    ordered = all(one.end <= two.offset for one, two in itertools.pairwise(spans))
    if not spans or not ordered or spans[-1].end > image_bytes:
        raise BadInput(f"{name} has ranges that do not follow one another within the image.")
    return BlockMap(image_bytes, tuple(spans))


def _number(text: str, tag: str, name: str) -> int:
    found = re.search(NUMBER.format(tag=tag), text)
    if found is None:
        raise BadInput(f"{name} has no {tag}.")
    return int(found[1])
