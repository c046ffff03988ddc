"""What the gate looks at: the machine and the runtime, each through a narrow door."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class BoxAddress:
    """An address of one of the box's interfaces."""

    interface: str
    ip: str

    @property
    def is_ipv6(self) -> bool:
        """Whether it is one of IPv6."""
        return ":" in self.ip


@dataclass(frozen=True, slots=True)
class Page:
    """What the front door answered; `body` is its beginning."""

    status: int
    body: str


@dataclass(frozen=True, slots=True)
class DataState:
    """The database as it lies there: `schema` steps are done, this version knows `known_schema`.

    `claimed` tells whether it belongs to a household.
    """

    schema: int
    known_schema: int
    claimed: bool


@dataclass(frozen=True, slots=True)
class Spoken:
    """What the model answered, None tokens a second for less than two tokens."""

    text: str
    tokens_per_second: float | None


class Network(Protocol):
    """The box's interfaces."""

    async def addresses(self) -> Sequence[BoxAddress]:
        """Return the addresses that last, without loopback and link-local IPv6."""


class FrontDoor(Protocol):
    """What people's browsers reach."""

    async def get(self, ip: str, path: str) -> Page:
        """Return what is served at `ip`. Raises `OSError` when nobody answers there."""


class Data(Protocol):
    """The household's database."""

    async def state(self) -> DataState:
        """Open and look. Raises `AlleracError` or `OSError`."""


class Disk(Protocol):
    """The disk of the household's data."""

    async def free_bytes(self) -> int:
        """Return what may still be written. Raises `OSError`."""


class Model(Protocol):
    """The engine with the household's default model."""

    async def loaded(self) -> str | None:
        """Return the model that answers; None while none does. Raises `AlleracError`, `OSError`."""

    async def canary(self) -> Spoken:
        """Answer the canary's question. Raises `AlleracError` or `OSError`."""


class Thermometer(Protocol):
    """How hot the processor is."""

    async def is_hot(self) -> bool:
        """Tell whether it slows itself down, or soon will; False where nobody knows."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Everything that proofs look at."""

    network: Network
    front_door: FrontDoor
    data: Data
    disk: Disk
    model: Model
    thermometer: Thermometer
