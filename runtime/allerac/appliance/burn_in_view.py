"""What the burn-in tells those around it: one small file under /run, gone when it is switched off.

Beside it lies `running` for as long as the burn-in's process lives; its unit removes that however
the process ended.
"""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final, Literal

from .files import replace_file

FILE_NAME: Final = "screen.json"
RUNNING: Final = "running"
READABLE: Final = 0o644

State = Literal["running", "passed", "failed", "interrupted"]


@dataclass(frozen=True, slots=True)
class BurnInView:
    """Where the burn-in of the unit `serial` stands.

    While it runs: the check that is `doing`, how many `checks` there are, and the last `note`.
    `passed` names checks, `failed` has the reasons too; `kept` says where the certificate is.
    """

    serial: str
    state: State = "running"
    doing: str = ""
    checks: int = 0
    note: str = ""
    passed: tuple[str, ...] = ()
    failed: tuple[tuple[str, str], ...] = ()
    kept: tuple[str, ...] = ()

    @property
    def done(self) -> int:
        """How many checks are over."""
        return len(self.passed) + len(self.failed)


def mark_running(path: Path) -> None:
    """Say that the process which writes the view lives. Raises OSError."""
    path.with_name(RUNNING).touch()


def write_burn_in(path: Path, view: BurnInView) -> None:
    """Replace the file. Raises OSError."""
    replace_file(path, json.dumps(asdict(view)).encode(), READABLE)


def read_burn_in(path: Path) -> BurnInView | None:
    """Return what was written last, None when there was no burn-in since the unit has power."""
    try:
        told = json.loads(path.read_bytes())
        lists = {key: tuple(told[key]) for key in ("passed", "kept")}
        failed = tuple((str(name), str(reason)) for name, reason in told["failed"])
        view = BurnInView(**{**told, **lists, "failed": failed})
    except (OSError, ValueError, TypeError, KeyError):
        return None
    if view.state == "running" and not path.with_name(RUNNING).exists():
        return replace(view, state="interrupted")
    return view
