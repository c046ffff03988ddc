"""The virtual environment with the locked packages."""

import sys
import sysconfig

from .steps import PYTHON, REPOSITORY, VENV, StepFailed, digest, once, run
from .system import Program, prepare_programs

MINIMUM = (3, 11)
VENV_MODULE = (Program(f"{sysconfig.get_path('stdlib')}/ensurepip", "python3-venv"),)
"""What Debian's Python lacks until it is installed."""

SOURCES = ("runtime", "image")
"""Folders of the checkout that are importable."""


def prepare_python() -> None:
    """Make `.venv` with what Allerac runs with; a second time nothing happens."""
    _prepare(["runtime.txt"])


def prepare_development() -> None:
    """Make `.venv` with what tests and tools need too."""
    _prepare(["runtime.txt", "development.txt"])


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
            lambda path=path: run(  # type: ignore[misc]  # bound per round of the loop
                [str(PYTHON), "-m", "pip", "install", "--require-hashes", "-r", str(path)],
                log=f"pip-{path.stem}",
            ),
            made=VENV / "bin" / "uvicorn",
        )
    once(
        "package",
        f"{version} {' '.join(SOURCES)}",
        "Allerac itself",
        _install_package,
        made=VENV / "bin" / "allerac",
    )


def _make_venv() -> None:
    run([sys.executable, "-m", "venv", "--clear", str(VENV)], log="venv")


def _install_package() -> None:
    """Make the checkout importable and the command callable, without a build."""
    packages = next((VENV / "lib").glob("python3*/site-packages"))
    (packages / "allerac-checkout.pth").write_text(
        "".join(f"{REPOSITORY / folder}\n" for folder in SOURCES)
    )
    command = VENV / "bin" / "allerac"
    command.write_text(f"#!{PYTHON}\nfrom allerac.cli import main\n\nmain()\n")
    command.chmod(0o755)
