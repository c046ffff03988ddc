"""What a text is, told by what stands in it."""

import io

import pytest

from allerac.knowledge.formats.sniff import sniff
from allerac.knowledge.reasons import Unreadable
from tests import documents

NOTE = "The plumber comes on Monday, the painter on Tuesday, and nobody at the weekend."


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (documents.comma_separated([("title", "text"), ("Visits", NOTE), ("More", NOTE)]), "csv"),
        (b"name;price\nlamp;12,50\nchair;40,00\n", "csv"),
        (b"First, we eat.\nThen, we sleep.\nLast, we wake.\n", "txt"),
        (NOTE.encode(), "txt"),
    ],
)
def test_table_of_text_is_told_from_prose_with_commas(content: bytes, kind: str) -> None:
    assert sniff(io.BytesIO(content)) == kind


@pytest.mark.parametrize("brand", [b"heic", b"mif1", b"avif"])
def test_picture_of_a_telephone_is_told_to_be_a_picture(brand: bytes) -> None:
    photograph = b"\0\0\0\x18ftyp" + brand + b"\0\0\0\0mif1" + bytes(64)
    with pytest.raises(Unreadable) as found:
        sniff(io.BytesIO(photograph))
    assert found.value.reason == "picture"
