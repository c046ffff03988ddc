"""Which processors the engine keeps to: one of each core, of the cores that the profile names.

Two threads of one core share what computes; the engine's arithmetic gains nothing by the second.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from .machine import cpu_list

Pinning = Literal["none", "performance_cores", "all_cores"]


@dataclass(frozen=True, slots=True)
class Placement:
    """`processors` that the engine keeps to; none where the system decides.

    Where they are `in_order`, the first thread has the first one for itself, and so on: those that
    write then stay on the performance cores, and all of them read.
    """

    processors: tuple[int, ...] = ()
    in_order: bool = False


def placement_for(
    pinning: Pinning, *, decode: int, prefill: int, root: Path = Path("/")
) -> Placement:
    """Return where `decode` threads write and `prefill` threads read.

    Where the cores that `pinning` names are too few for those that read, the other cores are taken
    for the rest of them; where all cores are too few, or nothing is known of them, the system
    decides.
    """
    first = _first_of_each_core(root / "sys/devices/system/cpu")
    threads = max(decode, prefill)
    if pinning == "none" or len(first) < threads:
        return Placement()
    if pinning == "performance_cores":
        performance = first & (cpu_list(_read(root / "sys/devices/cpu_core/cpus")) or first)
        if len(performance) >= threads:
            return Placement(tuple(sorted(performance)))
        if len(performance) >= decode:
            return Placement((*sorted(performance), *sorted(first - performance)), in_order=True)
    return Placement(tuple(sorted(first)))


def _first_of_each_core(folder: Path) -> frozenset[int]:
    siblings = folder.glob("cpu[0-9]*/topology/thread_siblings_list")
    cores = [cpu_list(_read(path)) for path in siblings]
    return frozenset(min(core) for core in cores if core)


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError:
        return ""
