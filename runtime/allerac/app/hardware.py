"""The machine below the box, and its profile."""

import functools
from dataclasses import dataclass
from pathlib import Path

from allerac.hardware.choice import ProfileChoice, choose_profile
from allerac.hardware.machine import Machine, detect_machine
from allerac.hardware.profile import Profiles, load_profiles
from allerac.settings import Settings


@dataclass(frozen=True, slots=True)
class Hardware:
    """The machine, its profile and all profiles."""

    machine: Machine
    choice: ProfileChoice
    profiles: Profiles


def read_hardware(settings: Settings) -> Hardware:
    """Detect the machine and choose its profile, or take the one that is set."""
    profiles = _installed(settings.profiles_dir)
    machine = detect_machine(_root(settings.sensors_root), data_dir=settings.data_dir)
    choice = choose_profile(machine, profiles)
    if settings.profile is not None:
        profile = profiles.by_id[settings.profile]
        choice = ProfileChoice(profile, False, "This profile was set by the operator.")
    return Hardware(machine, choice, profiles)


_installed = functools.cache(load_profiles)
"""The profiles of a folder: they come with the software, so they stay as they are while it runs."""


def _root(sensors_root: Path) -> Path:
    """Return where the machine is read: a recorded tree that has no processor is only sensors."""
    return sensors_root if (sensors_root / "proc/cpuinfo").is_file() else Path("/")
