"""Only an image that somebody trusted has signed is written, and only as it was signed."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from allerac_factory.bmap import read_block_map
from allerac_factory.contents import look_at
from allerac_factory.image_set import open_image
from allerac_image.checksums import sign_checksums
from allerac_image.errors import BadInput
from allerac_image.signing import new_authority, new_leaf

from .small_image import NAME, SmallImage, flip
from .workshop import Workshop


@pytest.mark.parametrize(
    ("name", "told"),
    [
        (f"{NAME}.img.zst", "is not the file that was signed"),
        (f"{NAME}.bmap", "is not the file that was signed"),
        ("SHA256SUMS", "is refused"),
        ("SHA256SUMS.p7s", "is refused"),
    ],
)
def test_changed_image_is_refused_before_any_drive_is_touched(
    tmp_path: Path, own_image: SmallImage, name: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    workshop = Workshop(tmp_path, own_image)
    drive = workshop.drive("WD1")
    path = own_image.folder / name
    flip(path, path.stat().st_size // 2)
    assert workshop.flash() == 2
    assert told in capsys.readouterr().err
    assert look_at(drive).kind == "blank"


@pytest.mark.parametrize("name", ["SHA256SUMS", "SHA256SUMS.p7s", f"{NAME}.bmap"])
def test_image_without_a_part_is_refused(own_image: SmallImage, name: str) -> None:
    (own_image.folder / name).unlink()
    with pytest.raises(BadInput):
        open_image(own_image.folder, "vm", own_image.trust)


def test_image_signed_by_somebody_else_is_refused(own_image: SmallImage, tmp_path: Path) -> None:
    authority = new_authority("Somebody else", 30)
    certificate, key = tmp_path / "other.crt", tmp_path / "other.key"
    new_leaf(authority, "Other images", 30).write(certificate, key)
    sign_checksums(own_image.folder, certificate, key)
    with pytest.raises(BadInput, match="is refused"):
        open_image(own_image.folder, "vm", own_image.trust)
    own_image.trust.write_bytes(authority.certificate.public_bytes(Encoding.PEM))
    assert open_image(own_image.folder, "vm", own_image.trust).blocks.spans


def test_authority_itself_does_not_sign_images(own_image: SmallImage, tmp_path: Path) -> None:
    authority = new_authority("Authority", 30)
    certificate, key = tmp_path / "ca.crt", tmp_path / "ca.key"
    authority.write(certificate, key)
    sign_checksums(own_image.folder, certificate, key)
    with pytest.raises(BadInput):
        open_image(own_image.folder, "vm", certificate)


def test_image_of_another_tier_is_refused(small_image: SmallImage) -> None:
    with pytest.raises(BadInput, match="no one signed file allerac-n100-"):
        open_image(small_image.folder, "n100", small_image.trust)


def test_map_covers_the_image_without_overlap(small_image: SmallImage) -> None:
    blocks = open_image(small_image.folder, "vm", small_image.trust).blocks
    holes = sum(size for _, size in blocks.holes())
    assert blocks.mapped_bytes + holes == blocks.image_bytes == small_image.raw.stat().st_size


@pytest.mark.parametrize(
    "text",
    [
        "",
        '<bmap version="1.4">',
        '<bmap version="2.0"><ChecksumType> sha256 </ChecksumType>',
        '<bmap version="2.0"><ChecksumType> sha256 </ChecksumType>'
        "<BlockSize> 512 </BlockSize><ImageSize> 4096 </ImageSize>",
        '<bmap version="2.0"><ChecksumType> sha256 </ChecksumType>'
        "<BlockSize> 4096 </BlockSize><ImageSize> 8192 </ImageSize>"
        f'<Range chksum="{"0" * 64}"> 0-1 </Range><Range chksum="{"0" * 64}"> 1 </Range>',
    ],
)
def test_file_that_is_no_map_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        read_block_map(text, "some.bmap")
