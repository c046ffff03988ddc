"""Every tier's file, and what the schema refuses."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from allerac.hardware.profile import Profile, load_profiles

ROOT = Path(__file__).parents[3]
PROFILES = ROOT / "hardware_profiles"
CHAT = "qwen2.5-1.5b-instruct-q4_k_m"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    for name in ("n100.yaml", "models.yaml"):
        (tmp_path / name).write_text((PROFILES / name).read_text("utf-8"), "utf-8")
    return tmp_path


def edit(path: Path, change: Callable[[Any], object]) -> None:
    content = yaml.safe_load(path.read_text("utf-8"))
    change(content)
    path.write_text(yaml.safe_dump(content), "utf-8")


def pin(content: Any, model_id: str = CHAT) -> Any:
    return next(entry for entry in content if entry["id"] == model_id)


def test_all_four_tiers_load() -> None:
    assert set(load_profiles(PROFILES).by_id) == {"n100", "i5", "i7", "vm"}


def test_a_further_tier_is_one_file(directory: Path) -> None:
    further = directory / "n200.yaml"
    further.write_text((directory / "n100.yaml").read_text("utf-8"), "utf-8")
    edit(further, lambda tier: tier.update(id="n200"))
    assert set(load_profiles(directory).by_id) == {"n100", "n200"}


@pytest.mark.parametrize("name", ["", "N200", "n 200", "../n200"])
def test_refuses_a_name_that_is_none_for_files_and_images(directory: Path, name: str) -> None:
    edit(directory / "n100.yaml", lambda tier: tier.update(id=name))
    with pytest.raises(ValidationError, match=r"(?m)^id$"):
        load_profiles(directory)


@pytest.mark.parametrize(
    ("tier", "chat"),
    [
        ("n100", "qwen2.5-1.5b-instruct-q4_k_m"),
        ("i5", "qwen2.5-7b-instruct-q4_k_m"),
        ("i7", "qwen3-30b-a3b-instruct-2507-q4_k_m"),
        ("vm", "allerac-demo"),
    ],
)
def test_default_chat_model_of_each_tier(tier: str, chat: str) -> None:
    assert load_profiles(PROFILES).by_id[tier].models.chat == chat


def test_every_default_is_pinned_completely() -> None:
    profiles = load_profiles(PROFILES)
    for profile in profiles.by_id.values():
        for _, model_id in profile.models.roles():
            if model_id != "allerac-demo":
                assert profiles.pins[model_id].refusal is None


def test_defaults_fit_their_memory_budget() -> None:
    profiles = load_profiles(PROFILES)
    for tier in ("n100", "i5", "i7"):
        profile = profiles.by_id[tier]
        chat = profiles.pins[profile.models.chat]
        kv_bytes = chat.kv_bytes_per_token * profile.engine.context_length
        assert (chat.size_bytes or 0) <= profile.memory.weights_bytes
        assert kv_bytes <= profile.memory.kv_bytes


@pytest.mark.parametrize("grade", ["C", "D"])
def test_refuses_a_default_of_low_grade(directory: Path, grade: str) -> None:
    edit(directory / "models.yaml", lambda pins: pin(pins).update(grade=grade))
    with pytest.raises(ValueError, match=f"grade {grade}"):
        load_profiles(directory)


@pytest.mark.parametrize("missing", ["revision", "sha256", "size_bytes"])
def test_refuses_a_default_with_an_incomplete_pin(directory: Path, missing: str) -> None:
    edit(directory / "models.yaml", lambda pins: pin(pins).update({missing: None}))
    with pytest.raises(ValueError, match="its pin"):
        load_profiles(directory)


def test_refuses_a_model_whose_licence_forbids_commerce(directory: Path) -> None:
    qwen_3b = {
        "title": "Qwen 2.5 3B",
        "id": "qwen2.5-3b-instruct-q4_k_m",
        "repository": "bartowski/Qwen2.5-3B-Instruct-GGUF",
        "file": "Qwen2.5-3B-Instruct-Q4_K_M.gguf",
        "licence": "qwen-research",
    }
    edit(directory / "models.yaml", lambda pins: pins.append(pin(pins) | qwen_3b))
    with pytest.raises(ValidationError, match="licence"):
        load_profiles(directory)


def test_refuses_an_embedding_model_for_chat(directory: Path) -> None:
    edit(
        directory / "n100.yaml",
        lambda tier: tier["models"]["larger"].append("nomic-embed-text-v1.5-q8_0"),
    )
    with pytest.raises(ValueError, match="cannot be larger"):
        load_profiles(directory)


def test_refuses_a_model_that_is_not_in_the_catalogue(directory: Path) -> None:
    edit(directory / "n100.yaml", lambda tier: tier["models"]["larger"].append("unheard-of"))
    with pytest.raises(ValueError, match="not in the catalogue"):
        load_profiles(directory)


def test_refuses_two_models_with_one_id(directory: Path) -> None:
    edit(directory / "models.yaml", lambda pins: pins.append(pin(pins)))
    with pytest.raises(ValueError, match="same id"):
        load_profiles(directory)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda t: t.update(colour="red"), "colour"),
        (lambda t: t["power"].update(pl1_watts=10), "pl1_watts"),
        (lambda t: t["memory"].update(weights_bytes=10**12), "budget"),
        (lambda t: t["burn_in"].update(model="bge-m3-q8_0"), "burn-in"),
        (lambda t: t["recognise"].update(cpu_patterns=["("]), "regular expression"),
        (lambda t: t["recognise"].update(efficient_cores={"min": 4, "max": 2}), "min is above"),
        (lambda t: t["engine"]["build"].update(cmake=["rm -rf"]), "cmake"),
        (lambda t: t.pop("image"), "image"),
        (lambda t: t["disk"].update(root_slot_bytes=3 * 10**9), "root_slot_bytes"),
        (lambda t: t["image"].update(kernel="linux"), "image.kernel"),
        (lambda t: t["image"].update(kernel_parameters=["quiet splash"]), "kernel_parameters"),
        (lambda t: t["image"].update(packages=["g++; reboot"]), "image.packages"),
        (lambda t: t["image"]["firmware"].update(keep=["../../etc/*"]), "image.firmware.keep"),
        (lambda t: t["image"]["firmware"].update(keep=["i915/../*"]), "image.firmware.keep"),
        (lambda t: t["image"]["firmware"].update(keep=[]), "go together"),
        (lambda t: t["image"]["services"]["runtime"].update(tasks_max=0), "runtime.tasks_max"),
        (
            lambda t: t["image"]["services"]["engine"].update(memory_max_bytes=10**9),
            "below weights and KV cache",
        ),
        (
            lambda t: t["image"]["services"]["runtime"].update(memory_max_bytes=5 * 10**9),
            "above memory.system_bytes",
        ),
        (lambda t: t["image"].update(preload=["bge-m3-q8_0"]), "has no model bge-m3-q8_0"),
    ],
)
def test_schema_refuses(change: Callable[[Any], object], complaint: str) -> None:
    content = yaml.safe_load((PROFILES / "n100.yaml").read_text("utf-8"))
    change(content)
    with pytest.raises(ValidationError, match=complaint):
        Profile.model_validate(content)


def test_refuses_preloaded_models_that_do_not_fit_the_data_partition(directory: Path) -> None:
    edit(directory / "n100.yaml", lambda tier: tier["disk"].update(data_min_bytes=10**9))
    with pytest.raises(ValueError, match="do not fit"):
        load_profiles(directory)


def test_capacity_counts_both_slots_and_the_partition_tables() -> None:
    disk = load_profiles(PROFILES).by_id["vm"].disk
    mib = 1 << 20
    assert disk.capacity_bytes == (260 + 2 * 32 + 2 * 256 + 16 + 2) * mib + disk.data_min_bytes


@pytest.mark.parametrize("sector_bytes", [512, 4096])
def test_the_esp_is_large_enough_for_fat32_on_any_drive(sector_bytes: int) -> None:
    fewest_clusters = 65_525  # Microsoft's FAT specification; fewer make it FAT16
    for profile in load_profiles(PROFILES).by_id.values():
        sectors = profile.disk.esp_bytes // sector_bytes
        tables = 32 + 2 * -(-sectors * 4 // sector_bytes)
        assert sectors - tables >= fewest_clusters, profile.id


def test_the_emulated_tier_has_no_firmware_and_small_slots() -> None:
    vm = load_profiles(PROFILES).by_id["vm"]
    assert vm.image.firmware.packages == []
    assert vm.disk.root_slot_bytes <= 256 << 20


def test_refuses_a_file_that_describes_another_tier(directory: Path) -> None:
    (directory / "n100.yaml").rename(directory / "i5.yaml")
    with pytest.raises(ValueError, match="describes the tier n100"):
        load_profiles(directory)


def test_refuses_a_folder_without_profiles(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no hardware profile"):
        load_profiles(tmp_path)
