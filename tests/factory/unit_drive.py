"""What is on a unit's drive, looked at and changed while it is off."""

import json
import sqlite3
from pathlib import Path
from typing import Any

from allerac_factory import contents
from allerac_factory.file_system import Ext4
from allerac_factory.gpt import Table


def table_of(path: Path) -> Table:
    """Read a drive's partition table."""
    table = contents.table_of(path)
    assert table is not None, f"{path} has no partition table"
    return table


def partition_of(drive: Path, to: Path) -> Path:
    """Copy the files of a unit's identity partition."""
    to.mkdir()
    Ext4(drive, table_of(drive).partition("identity").offset).copy_out("/", to)
    return to


def leave_key(drive: Path, identity: Path) -> None:
    """Leave on a flashed drive the key that its unit made in its TPM."""
    system = Ext4(drive, table_of(drive).partition("identity").offset)
    names = ("device.pub", "device.tpm")
    writes = [f"write {identity / name} {name}" for name in names]
    system.change(["rm device.key", "rm device.pub", *writes])


def leave_certificate(drive: Path, folder: Path, document: dict[str, Any]) -> None:
    """Leave on a flashed drive what a burn-in leaves."""
    kept = folder / "birth-certificate.json"
    kept.write_text(json.dumps(document))
    identity = Ext4(drive, table_of(drive).partition("identity").offset)
    identity.change([f"write {kept} /birth-certificate.json"])


def leave_claimed(drive: Path, folder: Path, *, owner: bool) -> None:
    """Leave on a flashed drive what a box leaves that was started, or claimed."""
    database = folder / "allerac.sqlite"
    database.unlink(missing_ok=True)
    connection = sqlite3.connect(database)
    connection.execute("CREATE TABLE box (claimed_at INTEGER)")
    connection.execute("INSERT INTO box VALUES (?)", (1_790_000_000_000 if owner else None,))
    connection.commit()
    connection.close()
    data = Ext4(drive, table_of(drive).partition("data").offset)
    data.change([f"write {database} /allerac/allerac.sqlite"])
