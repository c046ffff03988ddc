"""What is known about a tier: one file each in `hardware_profiles/`, one schema."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from allerac.yaml_files import read_yaml

from .pin import ModelPin, load_pins

Positive = Annotated[int, Field(gt=0)]
ThreadCount = Positive | Literal["performance_cores", "all_cores"]
CpuFlag = Literal["avx2", "avx_vnni"]
MIB = 1 << 20
PartitionBytes = Annotated[int, Field(gt=0, multiple_of=MIB)]
DebianPackage = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9+.-]+$")]
"""Debian Policy 5.6.1."""
TierName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*$")]
"""As in the names of files, images and RAUC's `compatible`."""
KernelParameter = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+(=[A-Za-z0-9_.,:/-]*)?$")]
FirmwarePattern = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_*.-]*(/[A-Za-z0-9_*][A-Za-z0-9_*.-]*)*$")
]


class Part(BaseModel):
    """A section of a profile: unknown fields are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Span(Part):
    """An inclusive range."""

    min: Annotated[int, Field(ge=0)]
    max: Annotated[int, Field(ge=0)]

    def __contains__(self, value: int) -> bool:
        return self.min <= value <= self.max

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.min > self.max:
            raise ValueError("min is above max")
        return self


class Recognition(Part):
    """How a machine of this tier looks. Memory is what the system sees, less than is built in."""

    cpu_patterns: Annotated[list[str], Field(min_length=1)]
    performance_cores: Span
    efficient_cores: Span
    memory_bytes: Span
    memory_channels: Positive | None
    flags: list[CpuFlag]
    virtual: bool

    @field_validator("cpu_patterns")
    @classmethod
    def _compiles(cls, patterns: list[str]) -> list[str]:
        for pattern in patterns:
            try:
                re.compile(pattern)
            except re.error as err:
                raise ValueError(f"{pattern!r} is not a regular expression: {err}") from err
        return patterns


class TierModels(Part):
    """Model ids by role; `chat` may be the demonstration model, which needs no pin."""

    chat: str
    fast: str | None
    larger: list[str]
    embedding: str | None
    reranker: str | None

    def roles(self) -> Iterator[tuple[str, str]]:
        """Yield (role, model id) of every role that is filled."""
        for role in ("chat", "fast", "embedding", "reranker"):
            if model_id := getattr(self, role):
                yield role, model_id
        for model_id in self.larger:
            yield "larger", model_id


class EngineBuild(Part):
    """How llama.cpp is compiled for this tier."""

    variant: Literal["avx2", "avx-vnni"]
    cmake: list[Annotated[str, Field(pattern=r"^-D[A-Z0-9_]+=\w+$")]]


class EngineSettings(Part):
    """How the engine runs here; thread counts may name cores of the machine found.

    `prefix_store_mb` million bytes of the data partition keep what was read, so that nobody pays
    for it again after a restart.
    """

    build: EngineBuild
    decode_threads: ThreadCount
    prefill_threads: ThreadCount
    cpu_pinning: Literal["none", "performance_cores", "all_cores"]
    context_length: Positive
    sequences: Positive
    kv_type: Literal["f16", "q8_0"]
    prefix_store_mb: Annotated[int, Field(ge=0)]


class MemoryBudget(Part):
    """Who gets how much memory; together no more than the tier has."""

    weights_bytes: Positive
    kv_bytes: Positive
    system_bytes: Positive

    @property
    def total_bytes(self) -> int:
        """Sum of the three parts."""
        return self.weights_bytes + self.kv_bytes + self.system_bytes


class Power(Part):
    """How much the processor may draw. `pl1_watts` is the sustained limit, None in a guest."""

    pl1_watts: Annotated[int, Field(ge=15)] | None
    governor: Literal["performance", "schedutil", "powersave"] | None


class Thermal(Part):
    """Degrees Celsius at which the runtime reacts; None where the guest sees no sensor."""

    fewer_threads_celsius: Positive | None
    pause_celsius: Positive | None


class BurnIn(Part):
    """What a unit must show at its first start; `model` is what it is measured with."""

    model: str
    min_prefill_tokens_per_second: Annotated[float, Field(gt=0)]
    min_decode_tokens_per_second: Annotated[float, Field(gt=0)]
    max_temperature_celsius: Positive | None
    memory_channels: Positive | None
    minutes: Positive


class DiskLayout(Part):
    """Sizes of the partitions, whole MiB but for data; each of boot and root exists twice.

    Data takes the rest of the disk at first boot; `data_min_bytes` is what must be there.
    """

    esp_bytes: PartitionBytes
    boot_slot_bytes: PartitionBytes
    root_slot_bytes: PartitionBytes
    identity_bytes: PartitionBytes
    data_min_bytes: Positive

    @property
    def capacity_bytes(self) -> int:
        """The smallest disk that does, with a MiB at each end for the partition tables."""
        slots = 2 * (self.boot_slot_bytes + self.root_slot_bytes)
        return 2 * MIB + self.esp_bytes + slots + self.identity_bytes + self.data_min_bytes


class Firmware(Part):
    """Packages that bring firmware, and which of their files stay.

    `keep` holds glob patterns below /usr/lib/firmware; what no pattern matches is removed.
    """

    packages: list[DebianPackage]
    keep: list[FirmwarePattern]

    @model_validator(mode="after")
    def _both_or_neither(self) -> Self:
        if bool(self.packages) != bool(self.keep):
            raise ValueError("packages and keep go together: one is empty, the other is not")
        return self


class ServiceLimits(Part):
    """What systemd grants a unit: MemoryMax and TasksMax (threads and processes)."""

    memory_max_bytes: Positive
    tasks_max: Positive


class Services(Part):
    """Limits of our units; the engine's hold for each of its processes."""

    runtime: ServiceLimits
    engine: ServiceLimits


class Image(Part):
    """What the tier's system is made of, beyond what every tier has.

    `preload` names the models that `MODELS=preload` puts into the data partition.
    """

    kernel: Literal["linux-image-amd64", "linux-image-cloud-amd64"]
    kernel_parameters: list[KernelParameter]
    packages: list[DebianPackage]
    firmware: Firmware
    services: Services
    preload: list[str]


class ExpectedSpeed(Part):
    """Tokens a second, short context, one chat; `source` says where the figures come from."""

    prefill_tokens_per_second: Annotated[float, Field(gt=0)]
    decode_tokens_per_second: Annotated[float, Field(gt=0)]
    source: str


class Profile(Part):
    """One tier."""

    id: TierName
    product: str
    title: str
    recognise: Recognition
    models: TierModels
    engine: EngineSettings
    memory: MemoryBudget
    power: Power
    thermal: Thermal
    burn_in: BurnIn
    disk: DiskLayout
    image: Image
    speeds: dict[str, ExpectedSpeed]

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        if self.memory.total_bytes > self.recognise.memory_bytes.max:
            raise ValueError("the memory budget is larger than the memory of the tier")
        if self.burn_in.model not in {model_id for _, model_id in self.models.roles()}:
            raise ValueError("the burn-in measures a model that the tier does not have")
        if unknown := set(self.image.preload) - {model_id for _, model_id in self.models.roles()}:
            raise ValueError(f"image.preload: the tier has no model {', '.join(sorted(unknown))}")
        engine = self.image.services.engine.memory_max_bytes
        if engine < self.memory.weights_bytes + self.memory.kv_bytes:
            raise ValueError("image.services.engine.memory_max_bytes: below weights and KV cache")
        if self.image.services.runtime.memory_max_bytes > self.memory.system_bytes:
            raise ValueError("image.services.runtime.memory_max_bytes: above memory.system_bytes")
        return self


@dataclass(frozen=True, slots=True)
class Profiles:
    """All tiers with the catalogue they refer to."""

    by_id: Mapping[str, Profile]
    pins: Mapping[str, ModelPin]
    demo_model_id: str

    def __post_init__(self) -> None:
        for profile in self.by_id.values():
            for role, model_id in profile.models.roles():
                self._check(profile.id, role, model_id)
            for model_id in profile.speeds:
                self._pin_of(profile.id, model_id)
            self._check_preload(profile)

    def _check_preload(self, profile: Profile) -> None:
        pins = [self._pin_of(profile.id, model_id) for model_id in profile.image.preload]
        if sum(pin.size_bytes or 0 for pin in pins if pin) > profile.disk.data_min_bytes:
            raise ValueError(f"{profile.id}: the preloaded models do not fit disk.data_min_bytes")

    def _check(self, profile_id: str, role: str, model_id: str) -> None:
        pin = self._pin_of(profile_id, model_id)
        kind = role if role in ("embedding", "reranker") else "chat"
        if pin is None:
            if kind != "chat":
                raise ValueError(f"{profile_id}: the demonstration model cannot be {role}")
            return
        if pin.kind != kind:
            raise ValueError(f"{profile_id}: {model_id} cannot be {role}, it is for {pin.kind}")
        if pin.refusal:
            raise ValueError(f"{profile_id}: {model_id} cannot be {role}: {pin.refusal}")

    def _pin_of(self, profile_id: str, model_id: str) -> ModelPin | None:
        if model_id == self.demo_model_id:
            return None
        if model_id not in self.pins:
            raise ValueError(f"{profile_id}: {model_id} is not in the catalogue")
        return self.pins[model_id]


def load_profiles(directory: Path, *, demo_model_id: str = "allerac-demo") -> Profiles:
    """Read every profile in `directory` and its `models.yaml`.

    Raises `ValueError` (of which `pydantic.ValidationError` is one) naming what is wrong.
    """
    by_id: dict[str, Profile] = {}
    for path in sorted(directory.glob("*.yaml")):
        if path.name == "models.yaml":
            continue
        profile = Profile.model_validate(read_yaml(path))
        if profile.id != path.stem:
            raise ValueError(f"{path.name} describes the tier {profile.id}")
        by_id[profile.id] = profile
    if not by_id:
        raise ValueError(f"no hardware profile in {directory}")
    return Profiles(by_id, load_pins(directory / "models.yaml"), demo_model_id)
