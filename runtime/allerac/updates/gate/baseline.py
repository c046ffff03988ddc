"""What worked while the system was good: nothing else is asked of the next one."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final, Self

import structlog

from allerac.appliance.files import replace_file

from .surroundings import BoxAddress

log = structlog.get_logger()

FORM: Final = 1
READ_BYTES: Final = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """Facts of a good system of `version` (None: none was ever recorded).

    `model_id` is the model that answered, `canaries` how fast it decoded the last times, in tokens
    a second, the newest last. `attempt` names the update that is about to be tried, if one is.
    """

    version: str | None
    sign_in: bool
    database: bool
    claimed: bool = False
    addresses: tuple[BoxAddress, ...] = ()
    disk_free_bytes: int = 0
    model_id: str | None = None
    canaries: tuple[float, ...] = ()
    attempt: str | None = None

    @property
    def tokens_per_second(self) -> float | None:
        """This unit's own speed: the median, which one hot or one lucky day does not move."""
        return median(self.canaries) if self.canaries else None


NEW_BOX: Final = Baseline(version=None, sign_in=True, database=True)
"""What every box does out of the factory, also without network, people and model."""


class BaselineFile:
    """Keeps it as JSON in one file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @classmethod
    def below(cls, data_dir: Path) -> Self:
        """Return the box's own file."""
        return cls(data_dir / "updates" / "baseline.json")

    def read(self) -> Baseline:
        """Return what was recorded; `NEW_BOX` when there is nothing that can be read."""
        try:
            with self._path.open("rb") as file:
                return _from_json(json.loads(file.read(READ_BYTES)))
        except FileNotFoundError:
            return NEW_BOX
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            log.warning("baseline_unreadable", reason=repr(error))
            return NEW_BOX

    def write(self, baseline: Baseline) -> None:
        """Replace what was recorded, whole or not at all. Raises `OSError`."""
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        content = json.dumps({"form": FORM, **asdict(baseline)}, indent=1)
        replace_file(self._path, content.encode(), 0o600)


def _from_json(content: dict[str, Any]) -> Baseline:
    if content["form"] != FORM:
        raise ValueError(f"form {content['form']!r} is not known")
    return Baseline(
        version=_text(content["version"]),
        sign_in=bool(content["sign_in"]),
        database=bool(content["database"]),
        claimed=bool(content["claimed"]),
        addresses=tuple(
            BoxAddress(str(address["interface"]), str(address["ip"]))
            for address in content["addresses"]
        ),
        disk_free_bytes=int(content["disk_free_bytes"]),
        model_id=_text(content["model_id"]),
        canaries=tuple(float(speed) for speed in content.get("canaries", ())),
        attempt=_text(content.get("attempt")),
    )


def _text(value: object) -> str | None:
    return None if value is None else str(value)
