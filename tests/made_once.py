"""What is dear to make is made by one worker of a run, and all of them have it."""

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

FOLDER = "made-once"


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """Return the folder `name` that `make` has filled, for whoever asked first; others wait.

    Nobody changes it afterwards. Where making fails, the next who asks begins anew.
    """
    folder = shared_folder(factory.getbasetemp()) / name
    whole = folder.with_name(f"{name}.whole")
    with folder.with_name(f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not whole.exists():
            shutil.rmtree(folder, ignore_errors=True)
            make(folder)
            whole.touch()
    return folder


def shared_folder(base: Path) -> Path:
    """Return where this run keeps it; `base` is pytest's folder of the run or of one worker."""
    run = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder = run / FOLDER
    folder.mkdir(exist_ok=True)
    return folder
