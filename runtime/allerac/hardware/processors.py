"""Which processors the engine keeps to: one of each core, of the cores that the profile names.

Two threads of one core share what computes; the engine's arithmetic gains nothing by the second.
"""

from pathlib import Path
from typing import Literal

from .machine import cpu_list

Pinning = Literal["none", "performance_cores", "all_cores"]


def processors_for(pinning: Pinning, *, threads: int, root: Path = Path("/")) -> tuple[int, ...]:
    """Return the numbers of the processors for `threads` threads; none where nothing is to be said.

    Where the cores that `pinning` names are fewer than `threads`, all cores serve; where those are
    fewer too, or nothing is known of them, the system decides.
    """
    if pinning == "none":
        return ()
    first = _first_of_each_core(root / "sys/devices/system/cpu")
    performance = first & (cpu_list(_read(root / "sys/devices/cpu_core/cpus")) or first)
    for processors in (performance if pinning == "performance_cores" else first, first):
        if len(processors) >= threads:
            return tuple(sorted(processors))
    return ()


def _first_of_each_core(folder: Path) -> frozenset[int]:
    siblings = folder.glob("cpu[0-9]*/topology/thread_siblings_list")
    cores = [cpu_list(_read(path)) for path in siblings]
    return frozenset(min(core) for core in cores if core)


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError:
        return ""
