"""What the runtime tells those around it: one small file under /run.

The runtime takes it back when it starts and when it stops: without it, Allerac is starting.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from .files import replace_file

FILE_NAME: Final = "console.json"
FILE_MODE: Final = 0o600
"""It holds the claim code."""


@dataclass(frozen=True, slots=True)
class BoxView:
    """The box as somebody in front of it sees it.

    `names` are host names, the household's own first. `claim_code` is None once the box is claimed
    and where it is printed on the label.
    """

    name: str
    names: tuple[str, ...]
    addresses: tuple[str, ...]
    conflict: str | None
    claimed: bool
    claim_code: str | None
    engine: str


def write_view(path: Path, view: BoxView) -> None:
    """Replace the file. Raises OSError."""
    replace_file(path, json.dumps(asdict(view)).encode(), FILE_MODE)


def read_view(path: Path) -> BoxView | None:
    """Return what was written last, None while there is nothing that can be read."""
    try:
        told = json.loads(path.read_bytes())
        lists = {key: tuple(told[key]) for key in ("names", "addresses")}
        return BoxView(**{**told, **lists})
    except (OSError, ValueError, TypeError, KeyError):
        return None
