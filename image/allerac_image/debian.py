"""The Debian root all tiers begin with: made by mmdebstrap, kept by what it was made from."""

import dataclasses
import hashlib
import json
import os
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from allerac.yaml_files import read_yaml
from bootstrap.kept import part_of, shelf, touch

from .errors import BadInput
from .log import StepLog
from .mirror import find_repositories, source_lines
from .plan import IMAGE, Plan

DRACUT = "/usr/bin/dracut"
"""Put aside while packages are configured: the initrd is made once, at the end."""

FIRMWARE = "usr/lib/firmware"

KEPT_ROOTS = 4
"""One for each tier; each has 300 to 500 MB."""

HOOKS = (
    f'--essential-hook=chroot "$1" dpkg-divert --quiet --local --rename --add {DRACUT}',
    f'--essential-hook=ln -s true "$1{DRACUT}"',
    f'--customize-hook=rm "$1{DRACUT}"',
    f'--customize-hook=chroot "$1" dpkg-divert --quiet --local --rename --remove {DRACUT}',
)


@dataclasses.dataclass(frozen=True, slots=True)
class Debian:
    """How the root is made: `image/debian.yaml` and the packages of one tier."""

    recipe: Mapping[str, Any]
    on_the_box: Sequence[str]
    while_building: Sequence[str]

    @property
    def initrd_makers(self) -> list[str]:
        """Needed while building too, but not without force to be purged."""
        names: list[str] = self.recipe["initrd_makers"]
        return names

    @property
    def packages(self) -> list[str]:
        """Everything that is installed at first."""
        return sorted({*self.on_the_box, *self.while_building, *self.initrd_makers})

    @property
    def options(self) -> list[str]:
        """Arguments of mmdebstrap; none depends on the machine."""
        return [
            "--mode=root",
            "--variant=minbase",
            "--format=tar",
            f"--architectures={self.recipe['architecture']}",
            *(f"--aptopt={option}" for option in self.recipe["apt_options"]),
            *(f"--dpkgopt={option}" for option in self.recipe["dpkg_options"]),
            *HOOKS,
            f"--include={','.join(self.packages)}",
        ]

    @property
    def key(self) -> str:
        """What a kept root is found by; equal for equal inputs."""
        recipe = self.recipe
        inputs = [recipe["suites"], recipe["components"], recipe["epoch"], self.options]
        return hashlib.sha256(json.dumps(inputs).encode()).hexdigest()[:16]


def load_debian(tier_packages: Sequence[str]) -> Debian:
    """Read the recipe and the packages every tier has, and add those of one tier."""
    recipe = read_yaml(IMAGE / "debian.yaml")
    common = read_yaml(IMAGE / "packages" / "common.yaml")
    everywhere = [name for group in common["on_the_box"].values() for name in group]
    return Debian(recipe, sorted({*everywhere, *tier_packages}), sorted(common["while_building"]))


def prepare_root(plan: Plan, log: StepLog) -> None:
    """Have a kept root for the tier's packages, made now when there is none."""
    debian = load_debian(plan.tier.packages)
    kept = kept_root(plan, debian)
    with shelf(kept.parent, most=KEPT_ROOTS, of="Debian roots"):
        if kept.exists():
            _refuse_other_architecture(kept, debian.recipe["architecture"])
            log.write(f"{kept} is there\n")
        else:
            _make_root(kept, debian, log)
        touch(kept)


def _make_root(kept: Path, debian: Debian, log: StepLog) -> None:
    recipe = debian.recipe
    repositories = find_repositories(log.output, recipe["suites"])
    sources = source_lines(repositories, recipe["components"], recipe["keyring"])
    part = part_of(kept)
    try:
        log.run(
            ["mmdebstrap", *debian.options, recipe["suite"], part, "-"],
            environment={**os.environ, "SOURCE_DATE_EPOCH": str(recipe["epoch"])},
            text=sources,
        )
        part.rename(kept)
    finally:
        part.unlink(missing_ok=True)


def kept_root(plan: Plan, debian: Debian) -> Path:
    """Return where the root of `debian` is kept."""
    return plan.cache / "debian" / f"{debian.key}.tar"


def unpack_root(plan: Plan, log: StepLog) -> None:
    """Fill the work folder with the kept root."""
    kept = kept_root(plan, load_debian(plan.tier.packages))
    plan.root.mkdir(parents=True)
    options = ["--xattrs", "--xattrs-include=*", "--numeric-owner"]
    log.run(["tar", "-x", *options, "-f", kept, "-C", plan.root])
    keep_firmware(plan.root / FIRMWARE, plan.tier.image["firmware"]["keep"])


def keep_firmware(folder: Path, patterns: Iterable[str]) -> None:
    """Remove every file below `folder` that no pattern matches, then the empty folders."""
    wanted = list(patterns)
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir() and not path.is_symlink():
            if not any(path.iterdir()):
                path.rmdir()
            continue
        if not any(fnmatchcase(str(path.relative_to(folder)), pattern) for pattern in wanted):
            path.unlink()


def _refuse_other_architecture(kept: Path, expected: str) -> None:
    found = architecture_of(kept)
    if found != expected:
        raise BadInput(
            f"{kept} holds a Debian for {found or 'no known architecture'}, not for {expected}. "
            "Remove the file and build again."
        )


def architecture_of(archive: Path) -> str:
    """Return the architecture of the dpkg in a root kept as tar; empty when it has none."""
    try:
        with tarfile.open(archive) as tar:
            status = next((m for m in tar if m.name == "./var/lib/dpkg/status"), None)
            content = tar.extractfile(status) if status is not None else None
            paragraphs = content.read().decode().split("\n\n") if content is not None else []
    except tarfile.TarError:
        return ""
    for paragraph in paragraphs:
        fields = dict(line.split(": ", 1) for line in paragraph.splitlines() if ": " in line)
        if fields.get("Package") == "dpkg":
            return fields.get("Architecture", "")
    return ""
