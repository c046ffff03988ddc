"""What worked while the system was good: nothing else is asked of the next one."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import structlog

from allerac.appliance.files import replace_file

from .surroundings import BoxAddress

log = structlog.get_logger()

FORM: Final = 1
READ_BYTES: Final = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """Facts of a good system of `version` (None: none was ever recorded).

    `model_id` is the model that answered, at `tokens_per_second` of decoding for the canary.
    """

    version: str | None
    sign_in: bool
    database: bool
    claimed: bool = False
    addresses: tuple[BoxAddress, ...] = ()
    disk_free_bytes: int = 0
    model_id: str | None = None
    tokens_per_second: float | None = None


NEW_BOX: Final = Baseline(version=None, sign_in=True, database=True)
"""What every box does out of the factory, also without network, people and model."""


class BaselineFile:
    """Keeps it as JSON in one file."""

    def __init__(self, path: Path) -> None:
        self._path = path

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
    speed = content["tokens_per_second"]
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
        tokens_per_second=None if speed is None else float(speed),
    )


def _text(value: object) -> str | None:
    return None if value is None else str(value)
