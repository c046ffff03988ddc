"""Listing, verifying, importing and removing models."""

import json
import os
import stat
from pathlib import Path

import pytest

from allerac.errors import Conflict, InsufficientDisk, InvalidInput, ModelDamaged, NotFound
from allerac.models.catalogue import Catalogue, DemoModel
from allerac.models.service import ModelService

from .conftest import CHOICE, MACHINE, MODEL, PROFILES, Room, open_room, pin_of
from .file_server import FileServer
from .gguf_file import gguf_bytes


@pytest.fixture
def demo(tmp_path: Path) -> DemoModel:
    content = gguf_bytes(elements=1000, name="Demo")
    (tmp_path / "demo.gguf").write_bytes(content)
    facts = pin_of(content)
    return DemoModel(
        id="allerac-demo",
        file="demo.gguf",
        size_bytes=len(content),
        sha256=facts.sha256 or "",
        context_length=1024,
        answer_tokens=100,
        directory=tmp_path,
    )


@pytest.fixture
def lite(tmp_path: Path, demo: DemoModel) -> ModelService:
    """The service of an N100 as it leaves the factory without models."""
    catalogue = Catalogue.of(CHOICE.profile, PROFILES.pins)
    return ModelService(
        directory=tmp_path / "data" / "models",
        catalogue=catalogue,
        demo=demo,
        machine=MACHINE,
        choice=CHOICE,
    )


async def installed(room: Room) -> Room:
    await room.service.download(MODEL)
    assert (await room.settled()).state == "installed"
    return room


async def test_list_offers_the_demonstration_and_what_the_catalogue_has(
    lite: ModelService,
) -> None:
    await lite.start()
    cards = lite.list()
    assert cards[0].is_demo
    assert cards[0].state == "installed"
    assert {card.state for card in cards[1:]} == {"available"}
    assert [card.id for card in cards if card.recommended] == ["qwen2.5-1.5b-instruct-q4_k_m"]
    assert [card.id for card in lite.list("embedding") if card.role == "embedding"]


async def test_cards_are_honest_about_what_does_not_fit(lite: ModelService) -> None:
    await lite.start()
    card = lite.get("qwen3-30b-a3b-instruct-2507-q4_k_m")
    assert card.fit == "too_large"
    assert "memory" in card.fit_reason


async def test_measured_speed_replaces_the_estimate(lite: ModelService) -> None:
    await lite.start()
    chat = "qwen2.5-1.5b-instruct-q4_k_m"
    assert not lite.get(chat).speed.measured
    lite.record_speed(chat, prefill=40.0, decode=18.0)
    speed = lite.get(chat).speed
    assert (speed.measured, speed.decode_tokens_per_second) == (True, 18.0)


async def test_demonstration_model_stays(lite: ModelService) -> None:
    await lite.start()
    with pytest.raises(Conflict):
        await lite.remove("allerac-demo")
    with pytest.raises(Conflict):
        await lite.download("allerac-demo")
    assert (await lite.verify("allerac-demo")).ok


async def test_missing_demonstration_model_is_damaged(lite: ModelService, demo: DemoModel) -> None:
    await lite.start()
    demo.path.unlink()
    assert lite.get("allerac-demo").state == "damaged"
    with pytest.raises(ModelDamaged):
        lite.installed_path("allerac-demo")


async def test_model_that_is_not_on_board_has_no_path(room: Room) -> None:
    with pytest.raises(Conflict):
        room.service.installed_path(MODEL)
    with pytest.raises(NotFound):
        room.service.installed_path("unheard-of")
    with pytest.raises(Conflict):
        await room.service.verify(MODEL)


async def test_verify_confirms_a_good_file(room: Room) -> None:
    await installed(room)
    assert (await room.service.verify(MODEL)).ok


async def test_verify_finds_one_changed_byte_and_download_repairs(
    room: Room, content: bytes
) -> None:
    await installed(room)
    with room.file.open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"!")
    result = await room.service.verify(MODEL)
    assert not result.ok
    assert "content" in result.reason
    assert room.service.get(MODEL).state == "damaged"
    assert (await room.again()).service.get(MODEL).state == "damaged"
    with pytest.raises(ModelDamaged):
        room.service.installed_path(MODEL)
    await installed(room)
    assert room.file.read_bytes() == content


async def test_cut_and_missing_files_are_damaged_without_reading_them(room: Room) -> None:
    await installed(room)
    with room.file.open("r+b") as file:
        file.truncate(1000)
    assert room.service.get(MODEL).state == "damaged"
    room.file.unlink()
    assert room.service.get(MODEL).state == "damaged"
    assert not (await room.service.verify(MODEL)).ok


@pytest.mark.parametrize("junk", [b"", b"{}", b"[1]", b"\x00\xff"])
async def test_broken_manifest_does_not_keep_the_service_from_starting(
    room: Room, junk: bytes
) -> None:
    await installed(room)
    room.file.with_name("manifest.json").write_bytes(junk)
    later = await room.again()
    assert later.service.get(MODEL).state == "available"
    await installed(later)
    await later.service.stop()


async def test_manifest_cannot_point_outside_its_folder(room: Room) -> None:
    await installed(room)
    manifest = room.file.with_name("manifest.json")
    facts = json.loads(manifest.read_text("utf-8")) | {"file": "../../../etc/passwd.gguf"}
    manifest.write_text(json.dumps(facts), "utf-8")
    assert (await room.again()).service.get(MODEL).state == "available"


async def test_removed_model_is_available_again(room: Room) -> None:
    await installed(room)
    await room.service.remove(MODEL)
    assert room.service.get(MODEL).state == "available"
    assert not room.file.parent.exists()
    with pytest.raises(NotFound):
        await room.service.remove("unheard-of")


async def test_removing_ends_the_download(room: Room) -> None:
    room.server.script.append(room.server.stall_after(400_000))
    await room.service.download(MODEL)
    await room.received(400_000)
    await room.service.remove(MODEL)
    assert room.service.get(MODEL).state == "available"
    assert not room.part.exists()


async def test_file_that_the_catalogue_knows_becomes_that_model(
    room: Room, content: bytes, tmp_path: Path
) -> None:
    stick = tmp_path / "stick.gguf"
    stick.write_bytes(content)
    card = await room.service.import_file(stick)
    assert (card.id, card.state) == (MODEL, "installed")
    assert room.file.read_bytes() == content
    with pytest.raises(Conflict):
        await room.service.import_file(stick)


async def test_unknown_file_is_imported_under_its_own_name(room: Room, tmp_path: Path) -> None:
    stick = tmp_path / "Stick File.gguf"
    stick.write_bytes(gguf_bytes(seed=9, name="My Own Model"))
    card = await room.service.import_file(stick)
    assert card.id.startswith("my-own-model-")
    assert (card.title, card.role, card.context_length) == ("My Own Model", "imported", 2048)
    assert stick.exists()
    again = await room.again()
    assert again.service.installed_path(card.id).exists()
    await again.service.remove(card.id)
    with pytest.raises(NotFound):
        again.service.get(card.id)


async def test_engine_of_another_user_may_read_a_model_and_nothing_else(
    room: Room, tmp_path: Path
) -> None:
    stick = tmp_path / "stick.gguf"
    stick.write_bytes(gguf_bytes(seed=11))
    umask = os.umask(0o077)
    try:
        card = await room.service.import_file(stick)
    finally:
        os.umask(umask)
    path = room.service.installed_path(card.id)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o755
    assert stat.S_IMODE(path.parents[1].stat().st_mode) == 0o755
    assert stat.S_IMODE((path.parent / "manifest.json").stat().st_mode) == 0o600


async def test_imported_model_has_no_download(room: Room, tmp_path: Path) -> None:
    stick = tmp_path / "stick.gguf"
    stick.write_bytes(gguf_bytes(seed=9))
    card = await room.service.import_file(stick, title="Mine")
    with pytest.raises(Conflict):
        await room.service.download(card.id)


@pytest.mark.parametrize(
    "broken",
    [b"", b"GGUF", b"<!doctype html>", gguf_bytes()[:-1], gguf_bytes()[:40], bytes(10_000)],
    ids=["empty", "magic", "page", "cut", "header cut", "zeros"],
)
async def test_broken_file_is_not_imported(room: Room, tmp_path: Path, broken: bytes) -> None:
    stick = tmp_path / "stick.gguf"
    stick.write_bytes(broken)
    with pytest.raises(ModelDamaged):
        await room.service.import_file(stick)
    assert list((room.directory / "downloads").iterdir()) == []
    assert [card.id for card in room.service.list()] == [MODEL]


async def test_import_needs_a_file(room: Room, tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nothing.gguf", Path("/dev/zero")):
        with pytest.raises(InvalidInput):
            await room.service.import_file(path)


async def test_import_finds_a_full_disk_first(
    server: FileServer, content: bytes, tmp_path: Path
) -> None:
    pins = {MODEL: pin_of(content)}
    room = await open_room(server, tmp_path / "data", pins, free_bytes=lambda _: 0)
    stick = tmp_path / "stick.gguf"
    stick.write_bytes(content)
    with pytest.raises(InsufficientDisk):
        await room.service.import_file(stick)
