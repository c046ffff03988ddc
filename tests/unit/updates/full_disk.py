"""Migrates a database on a disk that fills up; prints what came of it. Runs on a disk of its own.

Arguments: the database and the bytes that are left free.
"""

import asyncio
import sys
from contextlib import suppress
from pathlib import Path

from allerac.errors import StorageUnavailable
from allerac.storage import Database
from allerac.storage.inspection import inspect_database


def main(path: Path, free_bytes: int) -> None:
    """Fill the disk, try, make room, try again."""
    ballast = path.with_name("ballast")
    fill(ballast, free_bytes)
    before = inspect_database(path).schema
    outcome = asyncio.run(_open(path))
    after = inspect_database(path)
    sys.stdout.write(f"{outcome}; step {before} to {after.schema} of {after.known_schema}\n")
    scratch = list(path.parent.glob("*.part"))
    sys.stdout.write(f"left behind: {len(scratch)}\n")
    ballast.unlink()
    outcome = asyncio.run(_open(path))
    after = inspect_database(path)
    sys.stdout.write(f"with room: {outcome}; step {after.schema} of {after.known_schema}\n")


async def _open(path: Path) -> str:
    database = Database(path)
    try:
        await database.open()
    except StorageUnavailable as error:
        return error.message
    damage = await database.check_integrity()
    await database.close()
    return "migrated" if not damage else f"damaged: {damage}"


def fill(ballast: Path, free_bytes: int) -> None:
    """Fill the disk that `ballast` is on, but for `free_bytes`."""
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))
    with ballast.open("r+b") as file:
        file.truncate(max(0, ballast.stat().st_size - free_bytes))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
