"""Expected speeds against published runs, and what fits."""

from dataclasses import replace
from pathlib import Path

import pytest

from allerac.hardware.choice import ProfileChoice, choose_profile
from allerac.hardware.machine import Machine, detect_machine
from allerac.hardware.profile import Profiles, load_profiles
from allerac.hardware.speed import ModelSize, estimate_speed, judge_fit, size_of

MACHINES = Path(__file__).parent / "machines"
LLAMA_8B = ModelSize(4_920_739_232, 4_920_739_232, 8_030_000_000, 131_072, 131_072)
BIG = "qwen3-30b-a3b-instruct-2507-q4_k_m"
COMPACT = "qwen3-4b-instruct-2507-q4_k_m"


@pytest.fixture(scope="module")
def profiles() -> Profiles:
    return load_profiles(Path(__file__).parents[3] / "hardware_profiles")


def on(name: str, profiles: Profiles) -> tuple[Machine, ProfileChoice]:
    machine = detect_machine(MACHINES / name)
    return machine, choose_profile(machine, profiles)


def test_formula_is_near_the_published_n100_run(profiles: Profiles) -> None:
    speed = estimate_speed(*on("n100", profiles), LLAMA_8B)
    assert speed.decode_tokens_per_second == pytest.approx(3.01, rel=0.2)
    assert speed.prefill_tokens_per_second == pytest.approx(6.53, rel=0.2)


def test_exact_tier_gives_the_profile_figures(profiles: Profiles) -> None:
    pin = profiles.pins[COMPACT]
    speed = estimate_speed(*on("n100", profiles), size_of(pin), pin.id)
    assert speed.decode_tokens_per_second == 6.6
    assert not speed.measured


@pytest.mark.parametrize("tier", ["n100", "i5", "i7"])
def test_profile_figures_agree_with_the_formula(profiles: Profiles, tier: str) -> None:
    name = {"n100": "n100", "i5": "i5-1240p", "i7": "i7-12700h"}[tier]
    machine, choice = on(name, profiles)
    channels = choice.profile.recognise.memory_channels
    for model_id, expected in choice.profile.speeds.items():
        model = size_of(profiles.pins[model_id])
        seen = replace(machine, memory_channels=channels)
        estimate = estimate_speed(seen, choice, model)
        ratio = expected.decode_tokens_per_second / estimate.decode_tokens_per_second
        assert 0.6 < ratio < 1.7, model_id


def test_words_are_fewer_than_tokens(profiles: Profiles) -> None:
    speed = estimate_speed(*on("n100", profiles), LLAMA_8B)
    assert speed.words_per_second == pytest.approx(0.75 * speed.decode_tokens_per_second)


@pytest.mark.parametrize(
    ("machine_name", "model_id", "fit"),
    [
        ("n100", "qwen2.5-1.5b-instruct-q4_k_m", "good"),
        ("n100", "qwen2.5-7b-instruct-q4_k_m", "tight"),
        ("n100", BIG, "too_large"),
        ("i5-1240p", BIG, "good"),
        ("i7-12700h", "qwen3-30b-a3b-instruct-2507-q8_0", "good"),
        ("vm-2gb", COMPACT, "too_large"),
    ],
)
def test_fit(profiles: Profiles, machine_name: str, model_id: str, fit: str) -> None:
    machine, choice = on(machine_name, profiles)
    model = size_of(profiles.pins[model_id])
    speed = estimate_speed(machine, choice, model, model_id)
    assert judge_fit(machine, choice.profile, model, speed)[0] == fit


def test_slow_model_is_tight_and_says_how_slow(profiles: Profiles) -> None:
    machine, choice = on("n100", profiles)
    speed = estimate_speed(machine, choice, LLAMA_8B)
    assert "words a second" in judge_fit(machine, choice.profile, LLAMA_8B, speed)[1]
