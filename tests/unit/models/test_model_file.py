"""How the engine runs a model is what the profile says, for the cores that are there."""

from dataclasses import replace

import pytest

from allerac.engine.protocol import ModelFile
from allerac.hardware.choice import ProfileChoice
from allerac.hardware.machine import Machine
from allerac.hardware.processors import Placement, placement_for
from allerac.models import ModelRoom
from tests.fakes import FakeEngine

from .conftest import MACHINE, MODEL, PROFILES, Room
from .test_held_downloads import NoChoice

HYBRID = replace(MACHINE, cores_performance=6, cores_efficient=8, threads=20)


class LoadedEngine(FakeEngine):
    """Keeps how it was asked to run each model."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[ModelFile] = []

    async def load(self, model: ModelFile) -> None:
        self.loaded.append(model)


async def _loaded(room: Room, profile: str, machine: Machine) -> ModelFile:
    """Have the room's model loaded on this machine by this profile."""
    await room.service.download(MODEL)
    assert (await room.settled()).state == "installed"
    engine = LoadedEngine()
    models = ModelRoom(
        files=room.service,
        engine=engine,
        default=NoChoice(),
        machine=machine,
        choice=ProfileChoice(PROFILES.by_id[profile], True, ""),
    )
    await models.ensure_loaded(MODEL)
    (file,) = engine.loaded
    return file


@pytest.mark.parametrize(
    ("profile", "machine", "decode", "prefill"),
    [("n100", MACHINE, 4, 4), ("i5", HYBRID, 6, 14), ("i7", HYBRID, 6, 14)],
)
async def test_threads_are_those_of_the_profile_on_this_machine(
    room: Room, profile: str, machine: Machine, decode: int, prefill: int
) -> None:
    file = await _loaded(room, profile, machine)
    assert (file.threads, file.prefill_threads) == (decode, prefill)
    pinning = PROFILES.by_id[profile].engine.cpu_pinning
    placement = placement_for(pinning, decode=decode, prefill=prefill)
    assert Placement(file.processors, file.in_order) == placement


@pytest.mark.parametrize("profile", ["n100", "i5", "i7", "vm"])
async def test_what_is_kept_and_how_many_are_answered_is_what_the_profile_says(
    room: Room, profile: str
) -> None:
    engine = PROFILES.by_id[profile].engine
    file = await _loaded(room, profile, MACHINE)
    assert engine.prefix_store_mb > 0
    assert file.prefix_store_bytes == engine.prefix_store_mb * 1_000_000
    assert (file.sequences, file.kv_type) == (engine.sequences, engine.kv_type)
    assert file.context_length == min(engine.context_length, room.pins[MODEL].context_length)
    assert file.memory_limit_bytes is not None
