"""A whole box as its own process: runtime, engine and a small real model."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.starter import ForkedRuntime, start_runtime

READY = re.compile(r"ready:\s+(http://\S+)")
CODE = re.compile(r"Claim code:\s+(\S+)")
START_SECONDS = 300


@dataclass(slots=True)
class RunningBox:
    """Where a box answers, and what it printed."""

    process: subprocess.Popen[str] | ForkedRuntime
    url: str
    claim_code: str | None
    data_dir: Path
    drain: threading.Thread

    def kill(self) -> None:
        """End it as a power cut does."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)
        self._close()

    def stop(self) -> None:
        """End it as a person does."""
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)
            raise
        finally:
            self._close()

    def _close(self) -> None:
        self.drain.join(10)
        if self.process.stdout is not None:
            self.process.stdout.close()


def start_box(data_dir: Path, *, within: Sequence[str] = (), **settings: str) -> RunningBox:
    """Start `allerac serve` on a free loopback port and wait until it says that it is ready.

    `within` are the words of a command that prepares something, then becomes what it is given.
    """
    environment = {
        **os.environ,
        "ALLERAC_DATA_DIR": str(data_dir),
        "ALLERAC_PORT": "0",
        "ALLERAC_ANNOUNCE": "false",
        **{f"ALLERAC_{name.upper()}": value for name, value in settings.items()},
    }
    process = _start_within(within, environment) if within else start_runtime(environment)
    watchdog = threading.Timer(START_SECONDS, process.kill)
    watchdog.start()
    url, code, lines = None, None, []
    for line in process.stdout or ():
        lines.append(line)
        url = found[1] if (found := READY.search(line)) else url
        code = found[1] if (found := CODE.search(line)) else code
        if "Stop with" in line:
            break
    watchdog.cancel()
    if url is None:
        process.kill()
        raise AssertionError("the box did not start:\n" + "".join(lines))
    drain = threading.Thread(target=lambda: [None for _ in process.stdout or ()], daemon=True)
    drain.start()
    return RunningBox(process, url.rstrip("/"), code, data_dir, drain)


def _start_within(within: Sequence[str], environment: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*within, sys.executable, "-m", "allerac", "serve"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@contextmanager
def running_box(data_dir: Path, **settings: str) -> Iterator[RunningBox]:
    """A box for the time of a test."""
    box = start_box(data_dir, **settings)
    try:
        yield box
    finally:
        if box.process.poll() is None:
            box.stop()
