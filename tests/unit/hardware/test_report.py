"""What `allerac detect` says."""

from pathlib import Path

import pytest

from allerac.hardware.choice import choose_profile
from allerac.hardware.machine import detect_machine
from allerac.hardware.profile import load_profiles
from allerac.hardware.report import describe_machine

HERE = Path(__file__).parent


def report(name: str) -> str:
    profiles = load_profiles(HERE.parents[2] / "hardware_profiles")
    machine = detect_machine(HERE / "machines" / name)
    return describe_machine(machine, choose_profile(machine, profiles), profiles)


def test_exact_machine_is_told_its_tier_models_and_speed() -> None:
    text = report("n100")
    assert "Intel(R) N100" in text
    assert "Profile: n100 (Lite)\n" in text
    chat = next(line for line in text.splitlines() if " chat " in line)
    assert chat.split() == [
        *("qwen2.5-1.5b-instruct-q4_k_m", "chat", "1.0", "GB", "fits", "well", "34", "17.0")
    ]


def test_other_machine_is_told_that_the_profile_is_the_nearest() -> None:
    text = report("i7-8700")
    assert "the nearest" in text
    assert "What differs" in text


@pytest.mark.parametrize("name", ["n100", "i5-1240p", "i7-12700h", "i7-8700", "vm-2gb", "epyc-vm"])
def test_lines_have_no_trailing_space_and_fit_a_terminal(name: str) -> None:
    lines = [line for line in report(name).splitlines() if not line.startswith("No tier")]
    assert all(line == line.rstrip() and len(line) <= 100 for line in lines)
