"""Models on the data partition from the beginning."""

import hashlib
import json
from pathlib import Path

import pytest

from allerac_image.errors import ImageError
from allerac_image.log import StepLog
from allerac_image.models import copy_models, models_of, prepare_models, size_of_models
from allerac_image.plan import Plan
from tests.image.plans import plan_below

CONTENT = b"GGUF and more"


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    """A build with every model of its tier kept from an earlier one."""
    plan = plan_below(tmp_path, tier_id="n100", preload=True)
    for model in models_of(plan):
        folder = plan.models / "models" / model
        folder.mkdir(parents=True)
        (folder / "file.gguf").write_bytes(CONTENT)
        manifest = {"file": "file.gguf", "sha256": hashlib.sha256(CONTENT).hexdigest()}
        (folder / "manifest.json").write_text(json.dumps(manifest))
    return plan


def test_every_model_of_the_tier_is_copied_with_its_manifest(plan: Plan, tmp_path: Path) -> None:
    copy_models(plan, tmp_path / "data")
    copied = {str(path.relative_to(tmp_path / "data")) for path in (tmp_path / "data").glob("*/*")}
    wanted = plan.tier.image["preload"]
    assert copied == {
        f"{model}/{name}" for model in wanted for name in ("file.gguf", "manifest.json")
    }


def test_a_damaged_file_does_not_come_aboard(plan: Plan, tmp_path: Path) -> None:
    damaged = plan.models / "models" / models_of(plan)[0] / "file.gguf"
    damaged.write_bytes(CONTENT[:-1])
    with pytest.raises(ImageError, match=r"is damaged\. Remove"):
        copy_models(plan, tmp_path / "data")


def test_a_kept_file_that_the_catalogue_names_no_more_is_refused(
    plan: Plan, tmp_path: Path
) -> None:
    first = models_of(plan)[0]
    with pytest.raises(ImageError, match=rf"{first} is not the one .* Remove .*/{first} and build"):
        prepare_models(plan, StepLog(tmp_path / "log", None))


def test_nothing_is_preloaded_unless_it_was_asked_for(tmp_path: Path) -> None:
    assert models_of(plan_below(tmp_path, tier_id="n100")) == []


def test_the_catalogue_says_how_much_room_models_take() -> None:
    assert size_of_models(["qwen2.5-0.5b-instruct-q4_k_m"]) == 397_808_192
