"""The Python packages of the box: fetched by hash, compiled for the tier, and Allerac itself.

What was fetched is kept by what the lock says, so that a second build needs no network.
"""

import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bootstrap.engine import build_engine_wheel
from bootstrap.kept import part_of, shelf, touch
from bootstrap.steps import StepFailed

from .errors import CommandFailed, ImageError
from .log import StepLog, Words
from .plan import REPOSITORY, Plan, digest_of

LOCK = REPOSITORY / "requirements" / "runtime.txt"
BACKEND_LOCK = REPOSITORY / "requirements" / "wheel.txt"
KEPT_LOCKS = 8
"""For each lock that is in use: the runtime's for Debian 12 and 13, and the wheel builder's."""

PIP = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")


@dataclass(frozen=True, slots=True)
class Target:
    """The system that the packages are for: its Python, and the x of its C library 2.x."""

    python_version: str
    glibc_minor: int


DEBIAN_12 = Target("3.11", 36)
DEBIAN_13 = Target("3.13", 41)


def prepare_wheelhouse(plan: Plan, log: StepLog, target: Target = DEBIAN_13) -> None:
    """Gather the locked packages, the tier's engine and Allerac's own wheel."""
    plan.wheelhouse.mkdir(parents=True)
    for wheel in sorted(locked_wheels(plan, log, LOCK, _wheels_for(target)).glob("*.whl")):
        shutil.copyfile(wheel, plan.wheelhouse / wheel.name)
    build = plan.tier.profile["engine"]["build"]
    try:
        engine = build_engine_wheel(build["variant"], build["cmake"])
    except StepFailed as error:
        raise ImageError(str(error)) from error
    shutil.copyfile(engine, plan.wheelhouse / engine.name)
    _build_own_wheel(plan, log)


def _wheels_for(target: Target) -> list[str]:
    """Return what pip needs to choose wheels for another system than this one.

    A C library satisfies the manylinux tags of itself and of older ones from 2.17 on (PEP 600);
    older names are aliases.
    """
    minors = range(17, target.glibc_minor + 1)
    platforms = [f"--platform=manylinux_2_{minor}_x86_64" for minor in minors]
    platforms += ["--platform=manylinux2014_x86_64", "--platform=manylinux2010_x86_64"]
    return [f"--python-version={target.python_version}", "--implementation=cp", *platforms]


def locked_wheels(plan: Plan, log: StepLog, lock: Path, options: Sequence[str]) -> Path:
    """Return the folder that holds every package of `lock`, fetched when it is not kept."""
    kept = plan.cache / "wheels" / digest_of([lock], *options)
    with shelf(kept.parent, most=KEPT_LOCKS, of="Python packages"):
        if not kept.is_dir():
            _fetch(kept, log, lock, options)
        touch(kept)
    return kept


def _fetch(kept: Path, log: StepLog, lock: Path, options: Sequence[str]) -> None:
    part = part_of(kept)
    part.mkdir()
    fetch = ["download", "--require-hashes", "--no-deps", "--only-binary=:all:", *options]
    try:
        log.run([*PIP, *fetch, "-r", lock, "-d", part], environment=os.environ)
        part.rename(kept)
    except CommandFailed as error:
        raise ImageError("Python packages could not be fetched. Is there a network?") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _build_own_wheel(plan: Plan, log: StepLog) -> None:
    """Build from a copy, so that the checkout stays as it is and nobody's leftovers come along."""
    scratch = plan.work / "wheel"
    backend = scratch / "backend"
    source = scratch / "source"
    found = locked_wheels(plan, log, BACKEND_LOCK, [])
    offline = ["--no-index", "--find-links", str(found), "--require-hashes"]
    install: Words = ["install", *offline, "--target", backend, "-r", BACKEND_LOCK]
    log.run([*PIP, *install], environment=os.environ)
    skipped = shutil.ignore_patterns("__pycache__", "*.egg-info")
    shutil.copytree(REPOSITORY / "runtime", source / "runtime", ignore=skipped)
    for name in ("pyproject.toml", "README.md"):
        shutil.copyfile(REPOSITORY / name, source / name)
    environment = {
        **os.environ,
        "PYTHONPATH": str(backend),
        "SOURCE_DATE_EPOCH": str(plan.epoch),
    }
    build: Words = ["wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", plan.wheelhouse]
    log.run([*PIP, *build, source], environment=environment)
