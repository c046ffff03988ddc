"""The engine's wheel without what only a compiler would read.

The binding's build installs llama.cpp twice, for Python and for C++, and every library under three
names where a system has links. A box needs a third of that, and none of the paths of the machine
that compiled it.
"""

import csv
import io
import os
import re
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

FOR_COMPILERS = re.compile(r"(bin|include|lib|share)/.*|.*\.so\.\d+\.\d.*")
"""The copy for C++, and libraries under their whole version, which nothing loads by."""

TIME_STAMP = (2026, 1, 1, 0, 0, 0)


def slim(wheel: Path, folder: Path) -> Path:
    """Return a copy of `wheel` in `folder` without those files; the same input, the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    slimmed = folder / wheel.name
    part = slimmed.with_suffix(f".{os.getpid()}.part")
    with ZipFile(wheel) as whole, ZipFile(part, "w", ZIP_DEFLATED) as made:
        for name in sorted(whole.namelist()):
            if name.endswith("/") or FOR_COMPILERS.fullmatch(name):
                continue
            content = whole.read(name)
            if name.endswith(".dist-info/RECORD"):
                content = _kept_rows(content.decode()).encode()
            entry = ZipInfo(name, TIME_STAMP)
            entry.compress_type = ZIP_DEFLATED
            entry.external_attr = whole.getinfo(name).external_attr
            made.writestr(entry, content)
    part.rename(slimmed)
    return slimmed


def _kept_rows(record: str) -> str:
    """Return the list of files and their hashes as it is after (PyPA's binary format, RECORD)."""
    kept = io.StringIO()
    rows = (row for row in csv.reader(io.StringIO(record)) if not FOR_COMPILERS.fullmatch(row[0]))
    csv.writer(kept, lineterminator="\n").writerows(rows)
    return kept.getvalue()
