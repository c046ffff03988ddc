"""Numbered steps from an empty file to today's tables.

A step only adds (expand); what is no longer used goes in a later version (contract), so that the
version before still reads the data after an update is taken back.
"""

from collections.abc import Callable
from contextlib import suppress
from glob import escape
from pathlib import Path

from sqlalchemy import Connection, Engine

from allerac.storage.sqlite import snapshot

from . import (
    m0001_first,
    m0002_summary,
    m0003_updates,
    m0004_knowledge,
    m0005_remote_models,
    m0006_nearness,
    m0007_meaning,
    m0008_narrowing,
    m0009_pictures,
    m0010_ssh,
)

STEPS: tuple[Callable[[Connection], None], ...] = (
    m0001_first.upgrade,
    m0002_summary.upgrade,
    m0003_updates.upgrade,
    m0004_knowledge.upgrade,
    m0005_remote_models.upgrade,
    m0006_nearness.upgrade,
    m0007_meaning.upgrade,
    m0008_narrowing.upgrade,
    m0009_pictures.upgrade,
    m0010_ssh.upgrade,
)


def migrate(engine: Engine, path: Path) -> None:
    """Bring the database at `path` to the newest version, with a snapshot before each step.

    The one before the first of these steps is kept; the others go, for a household's data may be
    large. A database of a newer version is left as it is: its tables hold all that ours need.
    """
    version = _version(engine)
    for number, step in enumerate(STEPS[version:], start=version + 1):
        if version:
            snapshot(path, _copy_before(path, number))
        with engine.begin() as connection:
            step(connection)
            connection.exec_driver_sql(f"PRAGMA user_version={number}")
        _forget_copies(path, but=_copy_before(path, version + 1))


def _copy_before(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.before-{number}")


def _forget_copies(path: Path, *, but: Path) -> None:
    for copy in path.parent.glob(f"{escape(path.name)}.before-*"):
        if copy != but:
            with suppress(OSError):  # what is left takes room, and no more
                copy.unlink()


def _version(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())
