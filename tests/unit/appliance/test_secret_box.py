"""Secrets that must be read again, sealed with a key outside the database."""

from pathlib import Path

import pytest

from allerac.appliance.secret_box import SecretBox
from allerac.errors import SecretLost


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    return tmp_path / "secrets" / "secret-box.key"


def test_sealed_secret_opens_for_its_purpose_also_after_a_restart(key_file: Path) -> None:
    sealed = SecretBox(key_file).seal("sk-öffne-dich", "engine:1")
    assert SecretBox(key_file).open(sealed, "engine:1") == "sk-öffne-dich"


def test_sealed_text_tells_nothing_and_differs_each_time(key_file: Path) -> None:
    box = SecretBox(key_file)
    first, second = box.seal("open sesame", "mail"), box.seal("open sesame", "mail")
    assert "sesame" not in first
    assert first != second


def test_key_is_made_once_for_the_runtime_alone(key_file: Path) -> None:
    box = SecretBox(key_file)
    box.seal("a", "mail")
    before = key_file.read_bytes()
    box.seal("b", "mail")
    assert key_file.read_bytes() == before
    assert key_file.stat().st_mode & 0o777 == 0o600


def test_secret_of_one_row_does_not_open_as_another(key_file: Path) -> None:
    box = SecretBox(key_file)
    with pytest.raises(SecretLost):
        box.open(box.seal("a", "engine:1"), "engine:2")


@pytest.mark.parametrize("sealed", ["", "1:", "1:AAAA", "nonsense", "1:äöü", "1:" + "A" * 64])
def test_broken_text_is_lost_not_a_crash(key_file: Path, sealed: str) -> None:
    box = SecretBox(key_file)
    box.seal("a", "mail")
    with pytest.raises(SecretLost):
        box.open(sealed, "mail")


def test_without_the_key_the_secret_is_lost(key_file: Path) -> None:
    box = SecretBox(key_file)
    sealed = box.seal("a", "mail")
    key_file.unlink()
    with pytest.raises(SecretLost):
        box.open(sealed, "mail")


def test_damaged_key_is_never_replaced_in_silence(key_file: Path) -> None:
    box = SecretBox(key_file)
    sealed = box.seal("a", "mail")
    key_file.write_bytes(b"short")
    with pytest.raises(SecretLost):
        box.open(sealed, "mail")
    with pytest.raises(OSError, match="damaged"):
        box.seal("b", "mail")
