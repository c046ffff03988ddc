"""The virtual environment with the locked packages.

What was fetched is kept in the user's cache, so that a second checkout needs no network.
"""

import platform
import sys
import sysconfig
from functools import partial
from pathlib import Path

from .interpreter import MINIMUM
from .kept import part_of, shelf, touch
from .steps import PYTHON, REPOSITORY, VENV, StepFailed, cache_folder, digest, once, run
from .system import Program, prepare_programs

VENV_MODULE = (Program(f"{sysconfig.get_path('stdlib')}/ensurepip", "python3-venv"),)
"""What Debian's Python lacks until it is installed."""

KEPT_LOCKS = 6
"""Of each lock those used lately; 50 MB what Allerac runs with, 200 MB what tests need too."""

PIP = [str(PYTHON), "-m", "pip", "--disable-pip-version-check"]

SOURCES = ("runtime", "image")
"""Folders of the checkout that are importable."""

COMMANDS = {"allerac": "allerac", "allerac-factory": "allerac_factory"}
"""What a person types → the package whose command line it is."""


def prepare_python() -> None:
    """Make `.venv` with what Allerac runs with; a second time nothing happens."""
    _prepare(["runtime.txt"])


def prepare_development() -> None:
    """Make `.venv` with what tests and tools need too."""
    _prepare(["runtime.txt", "development.txt"])


def prepare_factory() -> None:
    """Make `.venv` with what a station needs too."""
    _prepare(["runtime.txt", "factory.txt"])


def _prepare(names: list[str]) -> None:
    if sys.version_info < MINIMUM:
        raise StepFailed("Allerac needs Python 3.11 or newer: apt-get install python3 python3-venv")
    prepare_programs(VENV_MODULE, "Python's virtual environments")
    version = sys.version.split()[0]
    once("venv", version, "Python environment", _make_venv, made=PYTHON)
    for name in names:
        path = REPOSITORY / "requirements" / name
        once(
            f"requirements-{name}",
            digest([path], version),
            f"Python packages ({name})",
            partial(_install, path),
            made=VENV / "bin" / "uvicorn",
        )
    once(
        "package",
        f"{version} {' '.join([*SOURCES, *COMMANDS])}",
        "Allerac itself",
        _install_package,
        made=VENV / "bin" / "allerac",
    )


def _make_venv() -> None:
    run([sys.executable, "-m", "venv", "--clear", str(VENV)], log="venv")


def _install(lock: Path) -> None:
    found = ["--no-index", "--find-links", str(_kept_wheels(lock))]
    run(
        [*PIP, "install", *found, "--require-hashes", "-r", str(lock)],
        log=f"pip-{lock.stem}",
    )


def _kept_wheels(lock: Path) -> Path:
    """Return the folder with every package of `lock`, fetched when it is not kept."""
    key = digest([lock], platform.python_version(), platform.machine())[:16]
    kept = cache_folder() / "packages" / f"{lock.stem}-{key}"
    with shelf(kept.parent, most=KEPT_LOCKS, of="Python packages"):
        if not kept.is_dir():
            part = part_of(kept)
            part.mkdir()
            fetch = ["download", "--require-hashes", "--no-deps", "--only-binary=:all:"]
            run([*PIP, *fetch, "-r", str(lock), "-d", str(part)], log=f"fetch-{lock.stem}")
            part.rename(kept)
        touch(kept)
    return kept


def _install_package() -> None:
    """Make the checkout importable and the commands callable, without a build."""
    packages = next((VENV / "lib").glob("python3*/site-packages"))
    (packages / "allerac-checkout.pth").write_text(
        "".join(f"{REPOSITORY / folder}\n" for folder in SOURCES)
    )
    for name, package in COMMANDS.items():
        command = VENV / "bin" / name
        call = f"import sys\n\nfrom {package}.cli import main\n\nsys.exit(main(sys.argv[1:]))\n"
        command.write_text(f"#!{PYTHON}\n{call}")
        command.chmod(0o755)
