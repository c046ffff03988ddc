"""What is in an image: Debian's packages, Python distributions, those of the web application."""

import dataclasses
import json
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
NODE_MODULES = "node_modules/"
TYPES = "@types/"
"""Scope of packages that a compiler reads; nothing of them is in what it makes."""


@dataclasses.dataclass(frozen=True, slots=True)
class Component:
    """One thing that is on board; `purl` is its package URL, `size_bytes` what it takes.

    `kind` is the type of component that CycloneDX has for it.
    """

    name: str
    version: str
    architecture: str
    purl: str
    licences: tuple[str, ...]
    size_bytes: int
    kind: str = "library"


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


def web_packages(lock: Path) -> list[Component]:
    """Return the packages that the web application is made of, as npm's lock file (version 3) says.

    Their sizes are unknown: what is not used of them was left out.
    """
    found = {}
    for place, facts in json.loads(lock.read_text("utf-8"))["packages"].items():
        name = place.rpartition(NODE_MODULES)[2]
        if not name or facts.keys() & {"dev", "devOptional"} or name.startswith(TYPES):
            continue
        licence = facts.get("license", "")
        component = Component(
            name=name,
            version=facts["version"],
            architecture="",
            purl=f"pkg:npm/{quote(name)}@{quote(facts['version'])}",
            licences=(licence,) if licence else (),
            size_bytes=0,
        )
        found[component.purl] = component  # two packages may each bring the same third
    return sorted(found.values(), key=lambda component: component.purl)


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
