"""A station with practice drives, below one folder."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from argon2 import PasswordHasher

from allerac_factory.claim_codes import Effort
from allerac_factory.cli import main
from allerac_factory.history import UnitHistory, histories
from allerac_factory.ledger import Act, Ledger

from .small_image import SmallImage

DRIVE_BYTES = 4_882_817 * 512
"""Sparse; what the tier `vm` needs at least and some, and not in whole pages."""


QUICK = Effort(PasswordHasher(time_cost=1, memory_cost=64, parallelism=1), 2, 8, 1)
"""For codes that nobody shall guess at: a unit would be hashing for longer than all else takes."""


@dataclass(frozen=True, slots=True)
class Workshop:
    """Drives, job and records of one station."""

    folder: Path
    image: SmallImage

    @property
    def drives(self) -> Path:
        """The folder of practice drives."""
        return self.folder / "drives"

    @property
    def records(self) -> Path:
        """What the station keeps."""
        return self.folder / "records"

    @property
    def cache(self) -> Path:
        """Where the station unpacks images to."""
        return self.folder / "cache"

    def drive(self, name: str, size: int = DRIVE_BYTES, **looks: Any) -> Path:
        """Plug in a drive that looks so."""
        self.drives.mkdir(parents=True, exist_ok=True)
        path = self.drives / f"{name}.img"
        with path.open("wb") as file:
            file.truncate(size)
        if looks:
            path.with_suffix(".yaml").write_text(yaml.safe_dump(looks))
        return path

    def job(self, **changes: Any) -> Path:
        """Write a job for all drives that are plugged in, with these fields changed."""
        targets = [{"port": f"practice-{path.stem}"} for path in sorted(self.drives.glob("*.img"))]
        fields: dict[str, Any] = {
            "batch": "vm-2026-47",
            "tier": "vm",
            "image": str(self.image.folder),
            "trust": str(self.image.trust),
            "serials": {"form": "ALR-VM-{number:06}", "first": 1},
            "targets": targets,
            "count": len(targets),
            "operator": "Ana",
            "station": "bench-1",
        }
        fields |= changes
        path = self.folder / "job.yaml"
        path.write_text(yaml.safe_dump({key: one for key, one in fields.items() if one != ()}))
        return path

    def flash_words(self, job: Path, *words: str) -> list[str]:
        """Return the command line that writes the practice drives."""
        return self.station_words(job, "--practice", str(self.drives), *words)

    def station_words(self, job: Path, *words: str) -> list[str]:
        """Return the command line that writes this machine's drives."""
        folders = ["--records", str(self.records), "--cache", str(self.cache)]
        return ["flash", str(job), *folders, *words]

    def flash(self, *words: str, **changes: Any) -> int:
        """Write the drives; return the exit status."""
        return main(self.flash_words(self.job(**changes), *words), QUICK)

    def do(self, *words: str) -> int:
        """Run another command on the station's records."""
        return main([*words, "--records", str(self.records)])

    def acts(self) -> Sequence[Act]:
        """Return the ledger."""
        ledger = Ledger(self.records / "ledger.sqlite")
        try:
            return list(ledger.acts())
        finally:
            ledger.close()

    def units(self) -> dict[str, UnitHistory]:
        """Return where every unit stands."""
        return histories(self.acts())


@pytest.fixture
def workshop(tmp_path: Path, small_image: SmallImage) -> Workshop:
    """A station without drives yet."""
    return Workshop(tmp_path, small_image)
