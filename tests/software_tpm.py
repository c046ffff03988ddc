"""A TPM of software (swtpm), which speaks as a machine's own does; its state is in a folder."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

NEEDED = {
    "/usr/bin/swtpm": "swtpm",
    "/usr/bin/tpm2": "tpm2-tools",
    "/usr/lib/x86_64-linux-gnu/libtss2-tcti-swtpm.so.0": "libtss2-tcti-swtpm0",
}
START_SECONDS = 30.0
COMMANDS, CONTROL = "tpm.sock", "tpm.sock.ctrl"
"""tss2-tcti-swtpm(7) looks for the second beside the first."""


@contextmanager
def software_tpm(folder: Path) -> Iterator[str]:
    """Switch the TPM on whose state is in `folder`, made at the first time; yield its TCTI."""
    server = ("--server", f"type=unixio,path={folder / COMMANDS}")
    with _running(folder, COMMANDS, *server, "--flags", "not-need-init,startup-clear") as socket:
        yield f"swtpm:path={socket}"


@contextmanager
def emulated_tpm(folder: Path) -> Iterator[Path]:
    """Switch it on for one start of an emulated machine; yield the socket it is plugged in by."""
    with _running(folder, CONTROL) as socket:
        yield socket


@contextmanager
def _running(folder: Path, wanted: str, *words: str) -> Iterator[Path]:
    missing = [package for path, package in NEEDED.items() if not Path(path).exists()]
    if missing:
        leave = pytest.fail if os.environ.get("CI") else pytest.skip
        leave(f"needs a TPM of software: apt install {' '.join(missing)}")
    folder.mkdir(parents=True, exist_ok=True)
    for name in (COMMANDS, CONTROL):
        (folder / name).unlink(missing_ok=True)
    command = ["/usr/bin/swtpm", "socket", "--tpm2", "--tpmstate", f"dir={folder}"]
    command += ["--ctrl", f"type=unixio,path={folder / CONTROL}", *words]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL) as process:
        try:
            deadline = time.monotonic() + START_SECONDS
            while not (folder / wanted).exists():
                assert process.poll() is None, "swtpm ended"
                assert time.monotonic() < deadline, "swtpm does not start"
                time.sleep(0.01)
            yield folder / wanted
        finally:
            process.terminate()
