"""What the machine must have before a build begins; nothing is half-done for want of it."""

import os
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from bootstrap.image import BUILD_LINE
from bootstrap.system import Program

from .debian import kept_root, load_debian
from .errors import BadInput
from .mirror import Repository, find_repositories
from .models import models_of, size_of_models
from .plan import REPOSITORY, Plan

NEEDED_BYTES = 5 << 30
"""Root, its images, the disk and the bundle of the largest tier, before models."""

COPIES = 4
"""Of each model: kept, in the folder of the data partition, in its image, in the disk."""

APT_HELPER = "/usr/lib/apt/apt-helper"
PREPARE = "Run `make image`, or `python3 -m bootstrap image`, which prepares it."


def check_host(plan: Plan) -> None:
    """Raise `BadInput` for the first thing that would stop the build later."""
    require_root(os.geteuid())
    require_programs(BUILD_LINE)
    require_prepared([plan.ansible, REPOSITORY / "onboarding_ui" / "dist" / "index.html"])
    plan.work.parent.mkdir(parents=True, exist_ok=True)
    needed = NEEDED_BYTES + COPIES * size_of_models(models_of(plan))
    require_space(plan.work.parent, needed, shutil.disk_usage(plan.work.parent).free)
    debian = load_debian(plan.tier.packages)
    if not kept_root(plan, debian).exists():
        require_mirror(find_repositories(_output, debian.recipe["suites"])[0])


def require_root(user: int) -> None:
    """Refuse anybody but root: files of many owners are made, and namespaces."""
    if user != 0:
        raise BadInput("An image is made as root, whose files it holds: sudo make image TIER=…")


def require_programs(programs: Iterable[Program]) -> None:
    """Refuse when programs are missing, naming the Debian packages that have them."""
    missing = {program.package for program in programs if not program.is_there}
    if missing:
        raise BadInput(f"Programs are missing: apt-get install {' '.join(sorted(missing))}")


def require_prepared(paths: Iterable[Path]) -> None:
    """Refuse when something that is made from the checkout was not made yet."""
    for path in paths:
        if not path.exists():
            raise BadInput(f"{path} is not there. {PREPARE}")


def require_space(folder: Path, needed: int, free: int) -> None:
    """Refuse when `free` bytes are fewer than `needed`."""
    if free < needed:
        raise BadInput(
            f"{folder} has {free / 2**30:.1f} GB free and the build needs {needed / 2**30:.1f} GB."
        )


def require_mirror(repository: Repository) -> None:
    """Refuse when the host's apt cannot fetch from `repository` now."""
    address = f"{repository.address.rstrip('/')}/dists/{repository.suites[0]}/InRelease"
    with TemporaryDirectory(prefix="allerac-mirror-") as folder:
        command = [APT_HELPER, "download-file", address, f"{folder}/InRelease"]
        reached = subprocess.run(command, capture_output=True, check=False).returncode == 0
    if not reached:
        raise BadInput(
            "Debian cannot be reached and no root is kept from an earlier build: "
            "connect this machine to the network and build again."
        )


def _output(command: Sequence[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
