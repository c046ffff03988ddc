"""What the engine process gives up before it reads a model.

Linux only; constants from sched.h, linux/prctl.h. Each step is best effort: a container or a unit
that forbids it has its own walls.
"""

import ctypes
import os
import resource
import signal
from typing import Final

_CLONE_NEWUSER: Final = 0x10000000
_CLONE_NEWNET: Final = 0x40000000
_PR_SET_PDEATHSIG: Final = 1
_PR_SET_NO_NEW_PRIVS: Final = 38

ENGINE_VARIABLES: Final = {
    "GGML_NO_BACKTRACE": "1",
    "GOMP_SPINCOUNT": "1000",
    "OPENBLAS_NUM_THREADS": "1",
}
"""Read by the libraries when they are loaded.

GGML_NO_BACKTRACE: an abort otherwise waits minutes for a debugger. GOMP_SPINCOUNT: idle threads
otherwise spin, and one busy neighbour costs nine tenths of the speed.
"""

STATE_VARIABLE: Final = "STATE_DIRECTORY"
"""Names a folder that outlives the process, as systemd.exec(5) has it for `StateDirectory=`."""


def isolate(parent_pid: int | None) -> None:
    """No network, no new privileges, no core file, no life beyond the parent's.

    `parent_pid` None: nobody to die with; the end of the connection ends the process. Must run
    while the process has one thread.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNET) != 0:  # only root may; others need a user namespace for it
        libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if parent_pid is not None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent_pid:  # it died before the line above
            os._exit(0)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def limit_memory(limit_bytes: int | None) -> None:
    """Let allocations beyond `limit_bytes` of address space fail."""
    if limit_bytes is not None:
        resource.setrlimit(resource.RLIMIT_AS, (limit_bytes, limit_bytes))
