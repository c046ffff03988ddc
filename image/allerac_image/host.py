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
from .models import is_kept, models_of, size_of_models
from .plan import REPOSITORY, Plan

GIB = 1 << 30
CACHE_BYTES, WORK_BYTES, OUT_BYTES = 1 * GIB, 3 * GIB, 1 * GIB
"""Of the largest tier, before models: what is kept, root with its parts, disk with bundle."""

APT_HELPER = "/usr/lib/apt/apt-helper"
PREPARE = "Run `make image`, or `python3 -m bootstrap image`, which prepares it."


def check_host(plan: Plan) -> None:
    """Raise `BadInput` for the first thing that would stop the build later."""
    require_root(os.geteuid())
    require_programs(BUILD_LINE)
    require_prepared([plan.ansible, REPOSITORY / "onboarding_ui" / "dist" / "index.html"])
    for folder in (plan.work.parent, plan.out.parent, plan.cache):
        folder.mkdir(parents=True, exist_ok=True)
    for folder, needed in room_needed(plan).items():
        require_space(folder, needed, shutil.disk_usage(folder).free)
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


def room_needed(plan: Plan) -> dict[Path, int]:
    """Return the bytes that a build takes, by a folder of each file system that it writes to.

    A model is kept once, goes into the data partition's folder and its image, then into the disk
    and the compressed disk.
    """
    models = models_of(plan)
    size = size_of_models(models)
    to_fetch = size_of_models([model for model in models if not is_kept(plan, model)])
    needed: dict[Path, int] = {}
    by_device: dict[int, Path] = {}
    for folder, room in (
        (plan.work.parent, WORK_BYTES + 2 * size),
        (plan.out.parent, OUT_BYTES + 2 * size),
        (plan.cache, CACHE_BYTES + to_fetch),
    ):
        first = by_device.setdefault(folder.stat().st_dev, folder)
        needed[first] = needed.get(first, 0) + room
    return needed


def require_space(folder: Path, needed: int, free: int) -> None:
    """Refuse when `free` bytes are fewer than `needed`."""
    if free < needed:
        raise BadInput(
            f"{folder} has {free / GIB:.1f} GB free and the build needs {needed / GIB:.1f} GB. "
            "Remove there what you can do without, and build again."
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
