"""The job file: what shall be made of which drives, by whom. One schema, read before anything."""

import re
from collections import Counter
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from allerac.yaml_files import read_yaml
from allerac_image.errors import BadInput
from allerac_image.plan import PROFILES
from allerac_image.tier import Tier, load_tier

from .placeholders import is_placeholder

SERIAL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
"""What the runtime takes (`allerac.appliance.identity`)."""

LONGEST_SERIAL = 40
"""Signs that can still be read when they are as wide as W and share one line of a label."""

LARGEST_NUMBER = 987_654_321
NUMBER = re.compile(r"\{number(:0[1-9])?\}")
BARE = Annotated[str, Field(min_length=1, max_length=200)]


class Part(BaseModel):
    """A section of a job: unknown fields are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Target(Part):
    """One drive that may be written: named by its device, its serial number or where it is plugged.

    `unit` is the serial that its unit gets; by default the next one of the scheme.
    """

    path: Path | None = None
    drive: BARE | None = None
    port: BARE | None = None
    unit: BARE | None = None

    @model_validator(mode="after")
    def _names_one_drive(self) -> Self:
        if sum(name is not None for name in (self.path, self.drive, self.port)) != 1:
            raise ValueError("name the drive by exactly one of path, drive and port")
        if self.drive is not None and is_placeholder(self.drive):
            raise ValueError(f"{self.drive!r} is a placeholder, not a drive's serial number")
        if self.unit is not None:
            _require_serial(self.unit)
        return self

    @property
    def name(self) -> str:
        """How the job calls the drive."""
        return next(str(name) for name in (self.path, self.drive, self.port) if name is not None)


class SerialScheme(Part):
    """Serials of the units: `form` holds `{number}`, for instance `ALR-N100-{number:06}`."""

    form: Annotated[str, Field(max_length=200)]
    first: Annotated[int, Field(ge=1, le=LARGEST_NUMBER)] = 1

    @field_validator("form")
    @classmethod
    def _has_one_number(cls, form: str) -> str:
        plain = NUMBER.sub("", form)
        if len(NUMBER.findall(form)) != 1 or "{" in plain or "}" in plain:
            raise ValueError("needs {number} once, for instance ALR-N100-{number:06}")
        _require_serial(form.format(number=LARGEST_NUMBER))
        return form

    def serial(self, number: int) -> str:
        """Return the serial with `number`."""
        return self.form.format(number=number)

    def number_of(self, serial: str) -> int | None:
        """Return the number in a serial of this scheme, None in any other."""
        before, after = NUMBER.split(self.form)[0], NUMBER.split(self.form)[-1]
        found = re.fullmatch(rf"{re.escape(before)}(\d+){re.escape(after)}", serial)
        return int(found[1]) if found else None


class Job(Part):
    """One batch. Paths are relative to the job file's folder."""

    batch: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
    tier: str
    image: Path
    trust: Path
    models: list[str] | Literal["tier"] = []
    model_cache: Path | None = None
    serials: SerialScheme
    targets: Annotated[list[Target], Field(min_length=1)]
    count: Annotated[int, Field(ge=1)]
    operator: BARE
    station: BARE
    burn_in: bool = True

    @field_validator("operator", "station", "batch")
    @classmethod
    def _means_something(cls, text: str) -> str:
        if is_placeholder(text):
            raise ValueError(f"{text!r} is a placeholder; say who or what it is")
        return text

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        _require_unique("target", [target.name for target in self.targets])
        _require_unique("unit", [target.unit for target in self.targets if target.unit])
        if self.count > len(self.targets):
            raise ValueError(f"count is {self.count}, and targets has {len(self.targets)}")
        if self.models and self.model_cache is None:
            raise ValueError("models are copied from a folder: name it under model_cache")
        return self

    @property
    def profile(self) -> Tier:
        """The tier's hardware profile. Raises `BadInput` for an unknown tier."""
        return load_tier(self.tier, PROFILES)

    @property
    def preloaded(self) -> list[str]:
        """Ids of the models that every unit gets."""
        return list(self.profile.image["preload"]) if self.models == "tier" else list(self.models)


def read_job(path: Path) -> Job:
    """Read a job file; raise `BadInput` that names every field which is wrong, and why."""
    try:
        fields: Any = read_yaml(path)
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"The job {path} cannot be read: {error}") from error
    except yaml.YAMLError as error:
        raise BadInput(f"The job {path} is not YAML: {error}") from error
    if not isinstance(fields, dict):
        raise BadInput(f"The job {path} has no fields; docs/factory.md shows one.")
    try:
        job = Job.model_validate(fields)
    except ValidationError as error:
        lines = [f"  {_place(one['loc'])}{_reason(one['msg'])}" for one in error.errors()]
        raise BadInput("\n".join([f"The job {path} is not right:", *lines])) from error
    _ = job.profile
    base = path.resolve().parent
    cache = None if job.model_cache is None else base / job.model_cache.expanduser()
    return job.model_copy(
        update={
            "image": base / job.image.expanduser(),
            "trust": base / job.trust.expanduser(),
            "model_cache": cache,
        }
    )


def _place(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location) + ": " if location else ""


def _reason(message: str) -> str:
    return message.removeprefix("Value error, ")


def _require_serial(text: str) -> None:
    if SERIAL.fullmatch(text) is None:
        raise ValueError(f"{text!r} is no serial: letters, digits, dots, dashes, 64 at most")
    if is_placeholder(text):
        raise ValueError(f"{text!r} is a placeholder, not a serial")
    if len(text) > LONGEST_SERIAL:
        raise ValueError(
            f"{text!r} has {len(text)} signs, and a label has room for {LONGEST_SERIAL}"
        )


def _require_unique(what: str, names: list[str]) -> None:
    repeated = sorted(name for name, count in Counter(names).items() if count > 1)
    if repeated:
        raise ValueError(f"{what} named twice: {', '.join(repeated)}")
