"""Which flags the engine of a tier is compiled with."""

from pathlib import Path

import pytest

from allerac.hardware.profile import load_profiles
from bootstrap.engine import FLAGS, merged_flags
from bootstrap.steps import StepFailed

PROFILES = load_profiles(Path(__file__).parents[3] / "hardware_profiles").by_id


def test_the_emulated_tier_has_the_checkouts_engine_and_compiles_nothing_anew() -> None:
    assert merged_flags(PROFILES["vm"].engine.build.cmake) == FLAGS


def test_tiers_of_one_variant_share_one_wheel() -> None:
    made = {tier: merged_flags(profile.engine.build.cmake) for tier, profile in PROFILES.items()}
    assert made["n100"] == made["i5"] == made["i7"]
    assert "-DGGML_AVX_VNNI=ON" in made["n100"]
    assert set(FLAGS) <= set(made["n100"])


def test_of_two_flags_for_one_option_the_profiles_holds() -> None:
    flags = merged_flags(["-DGGML_BMI2=OFF"])
    assert "-DGGML_BMI2=OFF" in flags
    assert "-DGGML_BMI2=ON" not in flags


@pytest.mark.parametrize("flag", ["-DGGML_AVX2", "--evil", "-DA=$(id)", ""])
def test_refuses_what_is_no_definition(flag: str) -> None:
    with pytest.raises(StepFailed, match="no CMake definition"):
        merged_flags([flag])


def test_refuses_an_engine_for_the_build_machine_alone() -> None:
    with pytest.raises(StepFailed, match="GGML_NATIVE=OFF"):
        merged_flags(["-DGGML_NATIVE=ON"])
