"""Whose pieces are in a store on disk, while an engine writes and deletes there."""

from collections import Counter
from contextlib import suppress
from pathlib import Path

from allerac.engine.prefix_file import owner_of, read_owner


def owners_in(folder: Path) -> Counter[bytes]:
    """How many files each person has anywhere below `folder`."""
    owners: Counter[bytes] = Counter()
    for file in list(folder.rglob("*.kv")):
        with suppress(FileNotFoundError):  # deleted since it was listed
            owners[read_owner(file)[1]] += 1
    return owners


def pieces_of(folder: Path, person_id: str) -> int:
    """How many files a person has."""
    return owners_in(folder)[owner_of(person_id)]
