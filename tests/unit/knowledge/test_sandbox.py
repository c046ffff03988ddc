"""The process that opens documents reaches no file, no network and no program."""

import subprocess
import sys
from pathlib import Path

import pytest

TRY = """
import os, socket, sys
from allerac.engine.isolation import isolate
from allerac.knowledge.sandbox import enclose
isolate(None)
enclose()
try:
    {act}
except OSError:
    print("refused")
else:
    print("done")
"""


@pytest.mark.parametrize(
    "act",
    [
        "open('/etc/passwd')",
        "open('{folder}/mine', 'w')",
        "os.unlink('{folder}/kept')",
        "os.listdir('/')",
        "socket.socket()",
        "socket.socketpair()",
        "os.execv('/bin/true', ['true'])",
        "os.kill(os.getppid(), 9)",
    ],
)
def test_door_is_closed(act: str, tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("here")
    program = TRY.format(act=act.format(folder=tmp_path))
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert run.stdout.strip() == "refused", run.stderr
    assert (tmp_path / "kept").read_text() == "here"
