"""Starts one runtime after another, each forked off a process that has imported everything.

`python -m tests.faults.forked_runtimes`: each line of standard input is a start. The runtime says
its process id, then what `allerac serve` says; when it has ended, `ended` is said. Importing takes
more than half of a start and writes nothing, so a test of two hundred starts does it once.
"""

import os
import sys

import allerac.serving  # noqa: F401 - which the command line imports when it is asked to serve
from allerac.cli import main


def run() -> None:
    """Fork, let the child serve, and wait until it has ended."""
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            sys.stdout.write(f"{os.getpid()}\n")
            sys.stdout.flush()
            main(["serve"])
        os.waitpid(child, 0)
        sys.stdout.write("ended\n")
        sys.stdout.flush()


if __name__ == "__main__":
    run()
