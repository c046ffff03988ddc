"""The tier's models are on every unit, and are what the cache had."""

import hashlib
import json
from pathlib import Path

import pytest

from allerac_factory.file_system import Ext4

from .unit_drive import table_of
from .workshop import DRIVE_BYTES, Workshop

MODEL = "tiny-model-q4_0"


def keep_model(cache: Path, content: bytes) -> None:
    """Put a model into the station's cache, as `allerac models pull` does."""
    folder = cache / MODEL
    folder.mkdir(parents=True)
    (folder / "tiny.gguf").write_bytes(content)
    manifest = {"file": "tiny.gguf", "sha256": hashlib.sha256(content).hexdigest()}
    (folder / "manifest.json").write_text(json.dumps(manifest))


def test_models_lie_in_the_grown_data_partition_and_belong_to_the_runtime(
    workshop: Workshop,
) -> None:
    content = hashlib.shake_256(b"model").digest(100 << 20)  # more than the image has room for
    keep_model(workshop.folder / "cache", content)
    drives = [workshop.drive(name) for name in ("WD1", "WD2")]
    cache = str(workshop.folder / "cache")
    assert workshop.flash(models=[MODEL], model_cache=cache) == 0
    for drive in drives:
        data = table_of(drive).partition("data")
        assert DRIVE_BYTES - 3 * (1 << 20) < data.offset + data.size < DRIVE_BYTES
        system = Ext4(drive, data.offset)
        system.check()
        assert system.read(f"/allerac/models/{MODEL}/tiny.gguf") == content
        for name in ("", "/tiny.gguf", "/manifest.json"):
            assert "User:   970" in system.stat(f"/allerac/models/{MODEL}{name}")
    observed = [act.observed for act in workshop.acts() if act.act == "models"]
    assert observed == [{"models": {MODEL: hashlib.sha256(content).hexdigest()}}] * 2


def test_damaged_or_missing_model_is_told_before_any_drive_is_touched(
    workshop: Workshop, capsys: pytest.CaptureFixture[str]
) -> None:
    drive = workshop.drive("WD1")
    cache = workshop.folder / "cache"
    cache.mkdir()
    assert workshop.flash(models=[MODEL], model_cache=str(cache)) == 2
    assert f"allerac models pull {MODEL}" in capsys.readouterr().err
    keep_model(cache, b"good")
    (cache / MODEL / "tiny.gguf").write_bytes(b"evil")
    assert workshop.flash(models=[MODEL], model_cache=str(cache)) == 2
    assert "is damaged" in capsys.readouterr().err
    assert workshop.units() == {}
    with drive.open("rb") as file:
        assert not any(file.read(1 << 20))
