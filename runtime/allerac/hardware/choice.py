"""Which profile a machine gets."""

import math
import re
from dataclasses import dataclass

from .machine import Machine
from .profile import Profile, Profiles, ThreadCount

GB = 1_000_000_000


@dataclass(frozen=True, slots=True)
class ProfileChoice:
    """The profile in use; `reason` says in one sentence why it is exact or only the nearest."""

    profile: Profile
    exact: bool
    reason: str


def choose_profile(machine: Machine, profiles: Profiles) -> ProfileChoice:
    """Return the tier that describes `machine`, or the nearest by memory and cores."""
    for profile in profiles.by_id.values():
        if not _differences(machine, profile):
            return ProfileChoice(
                profile, True, f"This is a machine of the {profile.product} tier: {profile.title}."
            )
    nearest = _nearest(machine, list(profiles.by_id.values()))
    differences = ", ".join(_differences(machine, nearest))
    return ProfileChoice(
        nearest,
        False,
        f"No tier describes this machine exactly; by memory and cores {nearest.product} "
        f"({nearest.title}) is the nearest. What differs: {differences}.",
    )


def is_made_as(machine: Machine, profile: Profile) -> bool:
    """Tell whether this is a machine of the tier, though perhaps with memory missing.

    Only of such a machine what its tier promises can be asked: a whole set of memory channels, the
    power that its processor is made for.
    """
    return all(agrees for agrees, _ in _processor_checks(machine, profile))


def threads_for(machine: Machine, count: ThreadCount) -> int:
    """How many threads `count` means here: never more than there are cores, at least one."""
    if count == "performance_cores":
        wanted = machine.cores_performance or machine.cores
    elif count == "all_cores":
        wanted = machine.cores
    else:
        wanted = count
    return max(1, min(wanted, machine.threads))


def _nearest(machine: Machine, profiles: list[Profile]) -> Profile:
    """The closest tier among those whose memory budget the machine can hold."""
    fitting = [p for p in profiles if p.memory.total_bytes <= machine.memory_bytes]
    candidates = [p for p in fitting if p.recognise.virtual == machine.virtual] or fitting
    if not candidates:
        return min(profiles, key=lambda profile: profile.memory.total_bytes)
    return min(candidates, key=lambda profile: (_distance(machine, profile), profile.id))


def _distance(machine: Machine, profile: Profile) -> float:
    """Octaves of memory and of cores between the machine and the edge of the tier, summed."""
    tier = profile.recognise
    cores_min = tier.performance_cores.min + tier.efficient_cores.min
    cores_max = tier.performance_cores.max + tier.efficient_cores.max
    return _octaves(machine.memory_bytes, tier.memory_bytes.min, tier.memory_bytes.max) + _octaves(
        machine.cores, cores_min, cores_max
    )


def _octaves(value: int, low: int, high: int) -> float:
    edge = min(max(value, low), high)
    return abs(math.log2(max(value, 1) / max(edge, 1)))


def _differences(machine: Machine, profile: Profile) -> list[str]:
    tier = profile.recognise
    checks = [
        *_processor_checks(machine, profile),
        (machine.memory_bytes in tier.memory_bytes, f"{machine.memory_bytes / GB:.0f} GB memory"),
        (_channels_agree(machine, profile), f"{machine.memory_channels} memory channel(s)"),
    ]
    differences = [text for agrees, text in checks if not agrees]
    differences += [
        f"no {flag.replace('_', '-')}" for flag in tier.flags if flag not in machine.flags
    ]
    return list(dict.fromkeys(differences))


def _processor_checks(machine: Machine, profile: Profile) -> list[tuple[bool, str]]:
    """Return of all that no module of memory changes whether it agrees, and what there is."""
    tier = profile.recognise
    return [
        (machine.virtual == tier.virtual, _kind(machine.virtual)),
        (any(re.search(p, machine.cpu) for p in tier.cpu_patterns), f"the {machine.cpu}"),
        (machine.cores_performance in tier.performance_cores, _cores(machine)),
        (machine.cores_efficient in tier.efficient_cores, _cores(machine)),
    ]


def _channels_agree(machine: Machine, profile: Profile) -> bool:
    """Unknown on either side is no contradiction."""
    return machine.memory_channels is None or profile.recognise.memory_channels in (
        None,
        machine.memory_channels,
    )


def _kind(virtual: bool) -> str:
    return "a virtual machine" if virtual else "a physical machine"


def _cores(machine: Machine) -> str:
    return f"{machine.cores_performance} performance and {machine.cores_efficient} efficient cores"
