"""What has been read of a document but is not in the index yet; kept so that no step is done twice.

A file is complete when it has its name; vectors are appended, and what of the last one was not
written before the power went is cut off.
"""

import json
import os
import re
import struct
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from allerac.storage.passages import Chunk

_WIDTH: Final = struct.Struct("<I")
_NAME: Final = re.compile(r"(.+-[0-9]+)(?:-[0-9a-f]{8})?\.\w+(?:\.part)?")


class Draft:
    """The files of one version of one document in the folder of drafts."""

    def __init__(self, folder: Path, file_id: str, version: int) -> None:
        self._folder = folder
        self._name = f"{file_id}-{version}"

    @property
    def pieces(self) -> Path:
        """The text, as it was extracted."""
        return self._folder / f"{self._name}.pieces"

    def chunks(self, model_id: str) -> Path:
        """The passages, as the tokens of `model_id` divide them."""
        return self._folder / f"{self._name}-{_short(model_id)}.chunks"

    def vectors(self, model_id: str) -> Path:
        """The vectors of the passages, as far as there are any."""
        return self._folder / f"{self._name}-{_short(model_id)}.vectors"

    def remove(self) -> None:
        """Delete everything."""
        for path in self._folder.glob(f"{self._name}[.-]*"):
            path.unlink(missing_ok=True)


def tidy(folder: Path, in_use: Iterable[tuple[str, int]]) -> None:
    """Delete the drafts of all but these documents and versions: the power went in between."""
    names = {f"{file_id}-{version}" for file_id, version in in_use}
    for path in folder.glob("*"):
        name = _NAME.match(path.name)
        if name is None or name[1] not in names:
            path.unlink(missing_ok=True)


def write_lines(path: Path, lines: Iterable[object]) -> None:
    """Write a line of JSON each; the file appears whole or not at all. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = path.with_name(f"{path.name}.part")
    with part.open("w", encoding="utf-8", errors="surrogatepass") as file:
        for line in lines:
            file.write(json.dumps(line, separators=(",", ":")) + "\n")
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def read_lines(path: Path) -> Iterator[Any]:
    """Yield what `write_lines` wrote."""
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def write_chunks(path: Path, chunks: Iterable[Chunk]) -> None:
    """Keep passages. Raises OSError."""
    write_lines(path, (asdict(chunk) for chunk in chunks))


def read_chunks(path: Path) -> list[Chunk]:
    """Return the passages kept at `path`."""
    return [Chunk(**line) for line in read_lines(path)]


def append_vectors(path: Path, vectors: list[bytes]) -> None:
    """Keep more vectors, all of one size. Raises OSError."""
    with path.open("ab") as file:
        if file.tell() == 0:
            file.write(_WIDTH.pack(len(vectors[0])))
        file.write(b"".join(vectors))
        file.flush()
        os.fsync(file.fileno())


def read_vectors(path: Path) -> list[bytes]:
    """Return the whole vectors at `path` and cut off what is left of a broken one."""
    with suppress(FileNotFoundError), path.open("r+b") as file:
        head = file.read(_WIDTH.size)
        size = _WIDTH.unpack(head)[0] if len(head) == _WIDTH.size else 0
        if not size:
            file.truncate(0)
            return []
        data = file.read()
        whole = len(data) // size * size
        file.truncate(_WIDTH.size + whole)
        return [data[start : start + size] for start in range(0, whole, size)]
    return []


def _short(model_id: str) -> str:
    return sha256(model_id.encode()).hexdigest()[:8]
