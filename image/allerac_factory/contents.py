"""What a drive carries before it is written: nothing, an Allerac, or something else."""

import sqlite3
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from allerac_image.layout import KINDS

from .file_system import BadFileSystem, Ext4
from .gpt import SECTOR_SIZES, BadTable, Table, read_table

DATABASE = "/allerac/allerac.sqlite"
"""Of the runtime, in the data partition; beside it may lie what was not yet merged into it."""

PARTS_OF_DATABASE = ("", "-wal")
HEAD_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Contents:
    """`serial` is that of an Allerac's unit; `claimed` is whether it is, or may be, somebody's.

    It is `torn` when its data cannot be read and it only may be.
    """

    kind: Literal["blank", "allerac", "other"]
    serial: str = ""
    claimed: bool = False
    torn: bool = False


def look_at(path: Path) -> Contents:
    """Look at a drive without changing it; raises OSError when it cannot be read.

    An Allerac whose data cannot be read counts as claimed: better a question than a loss.
    """
    table = table_of(path)
    if table is None:
        with path.open("rb") as drive:
            blank = not any(drive.read(HEAD_BYTES))
        return Contents("blank" if blank else "other")
    if not _is_allerac(table):
        return Contents("other")
    try:
        serial = serial_on(path, table)
    except BadFileSystem:
        serial = ""
    claimed = _is_claimed(path, table)
    return Contents("allerac", serial, claimed is not False, claimed is None)


def serial_on(path: Path, table: Table) -> str:
    """Return the serial in an Allerac's identity partition, empty before the factory was there."""
    content = Ext4(path, table.partition("identity").offset).read("/serial")
    return (content or b"").decode("ascii", errors="replace").strip()


def table_of(path: Path) -> Table | None:
    """Return a drive's partition table, an Allerac's if there is one; raises OSError.

    It is looked for at each sector size: docks exist that tell another one than the drive's own.
    """
    with path.open("rb") as drive:

        def read(offset: int, size: int) -> bytes:
            drive.seek(offset)
            return drive.read(size)

        tables: list[Table] = []
        for sector in SECTOR_SIZES:
            with suppress(BadTable):
                tables.append(read_table(read, sector))
    return max(tables, key=_is_allerac, default=None)


def _is_allerac(table: Table) -> bool:
    return set(KINDS) <= set(table.ids)


def _is_claimed(path: Path, table: Table) -> bool | None:
    data = Ext4(path, table.partition("data").offset)
    try:
        parts = {end: data.read(DATABASE + end) for end in PARTS_OF_DATABASE}
    except BadFileSystem:
        return None
    if not parts[""]:
        return False
    with TemporaryDirectory(prefix="allerac-factory-") as folder:
        copy = Path(folder) / "allerac.sqlite"
        for end, content in parts.items():
            if content:
                copy.with_name(copy.name + end).write_bytes(content)
        return _has_owner(copy)


def _has_owner(database: Path) -> bool | None:
    connection = sqlite3.connect(database)
    try:
        found = connection.execute("SELECT 1 FROM box WHERE claimed_at IS NOT NULL").fetchone()
    except sqlite3.DatabaseError:
        return None
    finally:
        connection.close()
    return found is not None
