"""The tier's models are on every unit, and are what the cache had."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from allerac_factory.file_system import Ext4
from allerac_factory.identity import Pending
from allerac_factory.image_set import open_image
from allerac_factory.job import Target
from allerac_factory.ledger import Ledger
from allerac_factory.plan import Assignment
from allerac_factory.practice import PracticeDrives
from allerac_factory.preload import CachedModel, find_models
from allerac_factory.station import Station, Unit
from allerac_factory.unpacked import UnpackedImages
from allerac_factory.writing import Progress

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


def making(workshop: Workshop, models: list[CachedModel], seen: list[Progress]) -> list[Unit]:
    """Write the one drive there is with these models; `seen` gets what is told of it."""
    drives = PracticeDrives(workshop.drives)
    (drive,) = drives.find()
    ledger = Ledger(workshop.records / "ledger.sqlite", "Ana", "bench-1")
    station = Station(
        batch="vm-2026-47",
        wanted={"tier": "vm", "burn_in": True},
        image=open_image(workshop.image.folder, "vm", workshop.image.trust),
        unpacked=UnpackedImages(workshop.cache, lambda _: None),
        models=models,
        drives=drives,
        ledger=ledger,
        pending=Pending(workshop.records / "pending"),
        tell=lambda units: seen.append(replace(units[0].progress)),
    )
    try:
        target = Target(path=drive.path)
        return station.flash([Assignment(target, drive, None, "ALR-VM-000001", ())])
    finally:
        ledger.close()


def test_bytes_of_models_count_as_progress(workshop: Workshop) -> None:
    """The model is larger than the image: the bar would be full before it is copied."""
    size = 64 << 20
    keep_model(workshop.folder / "models", b"m" * size)
    workshop.drive("WD1")
    seen: list[Progress] = []
    models = find_models(workshop.folder / "models", [MODEL])
    (unit,) = making(workshop, models, seen)
    assert unit.failure is None
    mapped = open_image(workshop.image.folder, "vm", workshop.image.trust).blocks.mapped_bytes
    assert seen[-1].done_bytes == seen[-1].total_bytes == 2 * (mapped + size)
    written = next(act for act in workshop.acts() if act.act == "written")
    assert written.observed["read_back_bytes"] == seen[-1].read_back_bytes == mapped


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"sha256": "0" * 64}, f"Read back differently: {MODEL}."),
        ({"folder": Path("/nowhere")}, "debugfs: "),
    ],
)
def test_model_that_is_not_on_the_drive_as_it_was_in_the_cache_fails_the_unit(
    workshop: Workshop, changed: dict[str, Any], told: str
) -> None:
    keep_model(workshop.folder / "models", b"good")
    workshop.drive("WD1")
    (model,) = find_models(workshop.folder / "models", [MODEL])
    (unit,) = making(workshop, [replace(model, **changed)], [])
    assert unit.failure is not None
    assert (unit.failure.cause, told in str(unit.failure)) == ("models", True)
    assert workshop.units()["ALR-VM-000001"].stage == "failed"


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
