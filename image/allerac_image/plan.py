"""What one build makes, and where: decided once, read by every step."""

import dataclasses
import hashlib
import json
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from .errors import BadInput
from .tier import Tier, load_tier

REPOSITORY = Path(__file__).resolve().parents[2]
IMAGE = REPOSITORY / "image"
PROFILES = REPOSITORY / "hardware_profiles"
NAMESPACE = uuid.UUID("5c4f5b0e-6a0f-4f0b-9f3e-2b6f6f0d7c11")
"""Made once for this project: what identifiers of an image are derived in (RFC 9562, 5.5)."""


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """One build. Times are seconds since the epoch, sizes bytes; paths are absolute."""

    tier_id: str
    version: str
    commit: str
    epoch: int
    work: Path
    out: Path
    cache: Path
    keys: Path
    trust: Path
    updates_from: str
    ansible: Path
    playbook: Path
    preload: bool
    keep_raw: bool
    sector_bytes: int

    @property
    def tier(self) -> Tier:
        """The tier's profile."""
        return load_tier(self.tier_id, PROFILES)

    @property
    def name(self) -> str:
        """What the files of this build are called."""
        return f"allerac-{self.tier_id}-{self.version}"

    @property
    def root(self) -> Path:
        """The system's files."""
        return self.work / "root"

    @property
    def parts(self) -> Path:
        """What goes into the partitions."""
        return self.work / "parts"

    @property
    def wheelhouse(self) -> Path:
        """Python packages of the system."""
        return self.work / "wheelhouse"

    @property
    def models(self) -> Path:
        """Models that were fetched for images, as a data folder of the runtime."""
        return self.cache / "models"

    @property
    def logs(self) -> Path:
        """One log for each step."""
        return self.work / "logs"

    @property
    def staging(self) -> Path:
        """Where the finished files are gathered; becomes `out` when all are whole."""
        return self.out.with_name(f".{self.out.name}.part")

    @property
    def before(self) -> Path:
        """Where the build before is for the moment in which this one takes its place."""
        return self.out.with_name(f".{self.out.name}.old")

    @property
    def raw(self) -> Path:
        """The disk as it is written to a drive."""
        return self.staging / f"{self.name}.img"

    def uuid(self, what: str) -> str:
        """Return an identifier that this tier and version always get for `what`."""
        return str(uuid.uuid5(NAMESPACE, f"{self.tier_id}/{self.version}/{what}"))

    def salt(self, what: str) -> str:
        """Return 32 bytes in hexadecimal that this tier and version always get for `what`."""
        return hashlib.sha256(f"{self.tier_id}/{self.version}/{what}".encode()).hexdigest()

    def save(self) -> Path:
        """Write the plan for the steps that Packer starts, and return where."""
        path = self.work / "plan.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(dataclasses.asdict(self), default=str, indent=2))
        return path

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote; raise `BadInput` when it is no plan."""
        try:
            values: dict[str, Any] = json.loads(path.read_text())
        except (OSError, ValueError) as error:
            raise BadInput(f"{path} is no plan of a build: {error}") from error
        for field in dataclasses.fields(cls):
            if field.type is Path:
                values[field.name] = Path(values[field.name])
        return cls(**values)


def digest_of(paths: Sequence[Path], *words: str) -> str:
    """Return a short hash over the contents of `paths` and over `words`."""
    total = hashlib.sha256()
    for path in paths:
        total.update(path.read_bytes() + b"\0")
    for word in words:
        total.update(word.encode() + b"\0")
    return total.hexdigest()[:16]
