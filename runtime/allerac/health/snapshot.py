"""The box at one moment, as the checks see it: plain values, so that any fault can be simulated."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from allerac.hardware.sensors import Reading

BUILT: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""Before this no Allerac was made."""

BELIEVABLE: Final = timedelta(days=365 * 9)
"""Support of a box ends long before."""

JUMP_SECONDS: Final = 3600.0
DOUBT_SECONDS: Final = 600.0
"""So long a jump is doubted where nobody says whether the time comes from the network."""

SHORT_BYTES, SHORT_SHARE = 5e9, 0.10
"""The smaller of both: a tenth of a small disk, and no more than one model of the smallest tier."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineFacts:
    """`silent_seconds` counts since it last could answer; `record` is its best speed here.

    Speeds are tokens a second, None until measured. While it `rests`, no model may be loaded.
    """

    state: str
    rests: bool = False
    active: int = 0
    waiting: int = 0
    restarts: int = 0
    speed: float | None = None
    record: float | None = None
    last_error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateFacts:
    """`offered_at` is when the waiting update came out, `failed` the name of what went wrong."""

    failed: str | None = None
    version: str | None = None
    offered_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupFacts:
    """The last backup; None where there never was one."""

    succeeded_at: datetime | None
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Unit:
    """A system service that failed, or how often it was started again since boot.

    `in_an_hour` of them are known to be of the last hour, whoever was there to see it.
    """

    name: str
    failed: bool
    restarts: int
    in_an_hour: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What this machine should be: from its hardware profile; None where nothing is promised."""

    slow_celsius: float = 85.0
    pause_celsius: float = 95.0
    memory_channels: int | None = None
    power_watts: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxFacts:
    """What the other rooms know; None or empty where nobody looked.

    `ssh_open_until` is in the household's time zone. `offered_models` are those of the damaged ones
    that can be downloaded, `unfinished_downloads` counts those that were paused or failed.
    `clock_moved_seconds` is how far all jumps of the time of day since the start have led, the last
    of them `clock_moved_ago_seconds` ago.
    """

    engine: EngineFacts | None = None
    name_conflict: str | None = None
    damaged_models: tuple[str, ...] = ()
    offered_models: tuple[str, ...] = ()
    unfinished_downloads: int = 0
    database_faults: tuple[str, ...] = ()
    backup: BackupFacts | None = None
    update: UpdateFacts | None = None
    certificate_expires_at: datetime | None = None
    failed_sign_ins: int = 0
    units: tuple[Unit, ...] = ()
    memory_channels: int | None = None
    clock_moved_seconds: float = 0.0
    clock_moved_ago_seconds: float = 0.0
    reserve_given_up: bool = False
    ssh_open_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """`at` is the time of day, `steady` seconds since boot, `values` are the figures."""

    at: datetime
    steady: float
    machine: Reading
    box: BoxFacts = field(default_factory=BoxFacts)
    limits: Limits = field(default_factory=Limits)
    values: Mapping[str, float] = field(default_factory=dict)

    @property
    def short_bytes(self) -> float:
        """Return how much must be free on the disk before anything large is begun."""
        disk = self.machine.disk
        return min(SHORT_BYTES, disk.total * SHORT_SHARE) if disk else 0.0

    @property
    def clock_is_wrong(self) -> bool:
        """Whether the time of day is not to be trusted."""
        return self.at < BUILT or self.at - BUILT > BELIEVABLE or self._has_jumped

    @property
    def _has_jumped(self) -> bool:
        """Whether the time of day is another than it was, and the network has not confirmed it."""
        if abs(self.box.clock_moved_seconds) < JUMP_SECONDS or self.machine.clock_synchronised:
            return False
        is_told = self.machine.clock_synchronised is not None
        return is_told or self.box.clock_moved_ago_seconds < DOUBT_SECONDS
