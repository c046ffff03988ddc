"""What is in a root: Debian packages and Python distributions, with their licences."""

import dataclasses
import re
from collections.abc import Iterator, Mapping
from email.parser import HeaderParser
from pathlib import Path
from urllib.parse import quote

DPKG_STATUS = "var/lib/dpkg/status"
INSTALLED = "install ok installed"
DEP5 = re.compile(r"^License:[ \t]*(\S.*)$", re.MULTILINE)
"""A licence's short name in a machine-readable copyright file (DEP-5)."""

LICENCE_CLASSIFIER = "License :: OSI Approved :: "
KIB = 1 << 10


@dataclasses.dataclass(frozen=True, slots=True)
class Component:
    """One thing that was installed; `purl` is its package URL, `size_bytes` what it takes."""

    name: str
    version: str
    architecture: str
    purl: str
    licences: tuple[str, ...]
    size_bytes: int


def debian_packages(root: Path) -> list[Component]:
    """Return the installed packages of `root` by name."""
    text = (root / DPKG_STATUS).read_text("utf-8")
    found = []
    for fields in _paragraphs(text):
        if fields.get("Status") != INSTALLED:
            continue
        name, version, machine = fields["Package"], fields["Version"], fields["Architecture"]
        found.append(
            Component(
                name=name,
                version=version,
                architecture=machine,
                purl=f"pkg:deb/debian/{quote(name)}@{quote(version)}?arch={machine}&distro=debian-13",
                licences=_debian_licences(root, name),
                size_bytes=int(fields.get("Installed-Size", 0)) * KIB,
            )
        )
    return sorted(found, key=lambda component: component.name)


def python_distributions(root: Path) -> list[Component]:
    """Return the distributions of Allerac's virtual environment by name."""
    found = []
    for folder in root.glob("opt/allerac/venv/lib/python3*/site-packages/*.dist-info"):
        metadata = HeaderParser().parsestr((folder / "METADATA").read_text("utf-8"))
        name, version = str(metadata["Name"]), str(metadata["Version"])
        normal = re.sub(r"[-_.]+", "-", name).lower()
        classifiers = metadata.get_all("Classifier") or []
        stated = metadata["License-Expression"] or _one_line(metadata["License"])
        classified = tuple(
            text.removeprefix(LICENCE_CLASSIFIER)
            for text in classifiers
            if text.startswith(LICENCE_CLASSIFIER)
        )
        found.append(
            Component(
                name=normal,
                version=version,
                architecture="",
                purl=f"pkg:pypi/{quote(normal)}@{quote(version)}",
                licences=(stated,) if stated else classified,
                size_bytes=_recorded_bytes(folder),
            )
        )
    return sorted(found, key=lambda component: component.name)


def _paragraphs(text: str) -> Iterator[Mapping[str, str]]:
    """Yield the fields of each paragraph of a Debian control file; continued lines are left out."""
    for paragraph in text.split("\n\n"):
        lines = [line for line in paragraph.splitlines() if not line.startswith(" ")]
        if lines:
            yield dict(line.split(": ", 1) for line in lines if ": " in line)


def _debian_licences(root: Path, package: str) -> tuple[str, ...]:
    copyright_file = root / "usr/share/doc" / package / "copyright"
    if not copyright_file.is_file():
        return ()
    text = copyright_file.read_text("utf-8", errors="replace")
    return tuple(sorted({match.strip() for match in DEP5.findall(text)}))


def _one_line(licence: str | None) -> str:
    """Return the licence unless its whole text was put where its name belongs."""
    return licence if licence and "\n" not in licence else ""


def _recorded_bytes(folder: Path) -> int:
    record = folder / "RECORD"
    if not record.is_file():
        return 0
    sizes = (line.rpartition(",")[2] for line in record.read_text("utf-8").splitlines())
    return sum(int(size) for size in sizes if size.isdigit())
