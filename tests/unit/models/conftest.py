"""A model service beside a server that serves its only pinned model."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from allerac.hardware.choice import ProfileChoice
from allerac.hardware.machine import Machine
from allerac.hardware.pin import ModelPin
from allerac.hardware.profile import load_profiles
from allerac.models.card import DownloadProgress, ModelCard
from allerac.models.catalogue import Catalogue
from allerac.models.download import Patience
from allerac.models.service import ModelService

from .file_server import FileServer, serving
from .gguf_file import gguf_bytes

PROFILES = load_profiles(Path(__file__).parents[3] / "hardware_profiles")
MODEL = "tiny"
QUICK = Patience(tries=3, stall_seconds=0.3, backoff_seconds=0.01, backoff_limit_seconds=0.05)
MACHINE = Machine(
    cpu="Intel(R) N100",
    cores_performance=0,
    cores_efficient=4,
    threads=4,
    memory_bytes=16_500_000_000,
    memory_channels=1,
    flags=frozenset({"avx2", "avx_vnni"}),
    virtual=False,
    disk_free_bytes=100_000_000_000,
)
CHOICE = ProfileChoice(PROFILES.by_id["n100"], True, "")


def pin_of(content: bytes, model_id: str = MODEL) -> ModelPin:
    return ModelPin(
        id=model_id,
        title="Tiny",
        description="A model for tests.",
        kind="chat",
        family="Tiny",
        quantisation="F32",
        repository="allerac/tiny",
        file=f"{model_id}.gguf",
        revision="0" * 40,
        size_bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        licence="mit",
        context_length=2048,
        kv_bytes_per_token=256,
        active_bytes=len(content),
        active_parameters=len(content),
        grade="A",
    )


@dataclass
class Room:
    """A service, its server and its folders."""

    server: FileServer
    directory: Path
    pins: dict[str, ModelPin]
    service: ModelService
    changed: asyncio.Event

    @property
    def file(self) -> Path:
        return self.directory / "models" / MODEL / f"{MODEL}.gguf"

    @property
    def part(self) -> Path:
        return self.directory / "downloads" / f"{MODEL}.part"

    async def until(self, is_so: Callable[[ModelCard], bool]) -> ModelCard:
        """Wait for the model's card to satisfy `is_so`."""
        async with asyncio.timeout(20):
            while not is_so(card := self.service.get(MODEL)):
                self.changed.clear()
                try:
                    await asyncio.wait_for(self.changed.wait(), 0.02)
                except TimeoutError:
                    continue
        return card

    async def settled(self) -> ModelCard:
        """Wait until the download has ended, well or not."""
        return await self.until(lambda card: card.state != "downloading")

    async def received(self, size_bytes: int) -> DownloadProgress:
        """Wait until that many bytes have come."""

        def has_come(card: ModelCard) -> bool:
            return card.download is not None and card.download.received_bytes >= size_bytes

        progress = (await self.until(has_come)).download
        assert progress is not None
        return progress

    async def again(self) -> "Room":
        """Return this room as a new process finds it; the old service is not stopped."""
        return await open_room(self.server, self.directory, self.pins)


async def open_room(
    server: FileServer,
    directory: Path,
    pins: dict[str, ModelPin],
    *,
    free_bytes: Callable[[Path], int] = lambda _: 10**12,
    bandwidth_limit: int | None = None,
) -> Room:
    service = ModelService(
        directory=directory / "models",
        catalogue=Catalogue(pins, {}),
        demo=None,
        machine=MACHINE,
        choice=CHOICE,
        source_url=server.url,
        patience=QUICK,
        free_bytes=free_bytes,
        bandwidth_limit=bandwidth_limit,
    )
    changed = asyncio.Event()
    service.on_change(lambda _: changed.set())
    await service.start()
    return Room(server, directory, pins, service, changed)


async def failure(room: Room) -> tuple[str, str]:
    """Download and return code and message of the failure, which must carry a hint."""
    await room.service.download(MODEL)
    card = await room.settled()
    assert card.state == "failed"
    assert card.download is not None
    assert card.download.error is not None
    assert card.download.error.hint
    assert not room.file.exists()
    return card.download.error.code, card.download.error.message


@pytest.fixture
def content() -> bytes:
    return gguf_bytes()


@pytest.fixture
async def server(content: bytes) -> AsyncIterator[FileServer]:
    async with serving(content) as server:
        yield server


@pytest.fixture
async def room(server: FileServer, content: bytes, tmp_path: Path) -> AsyncIterator[Room]:
    room = await open_room(server, tmp_path, {MODEL: pin_of(content)})
    yield room
    await room.service.stop()
