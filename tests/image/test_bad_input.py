"""What a build is refused for, and what is said when a step of it fails."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from allerac_image.build import TEMPLATE, alone, run_packer
from allerac_image.cli import main
from allerac_image.errors import BadInput, ImageError
from allerac_image.host import (
    CACHE_BYTES,
    OUT_BYTES,
    WORK_BYTES,
    require_mirror,
    require_prepared,
    require_programs,
    require_root,
    require_space,
    room_needed,
)
from allerac_image.log import StepLog
from allerac_image.mirror import Repository
from allerac_image.models import models_of, size_of_models
from allerac_image.pipeline import MAKING, STEPS, Step, run_step, step_called
from allerac_image.plan import Plan
from allerac_image.slot import refuse_too_large
from allerac_image.source import read_source, version_of
from bootstrap.system import Program
from tests.image.plans import plan_below

BUILT_IN = {"null", "shell-local", "artifice", "checksum", "manifest"}
"""In every Packer without `packer init`, https://developer.hashicorp.com/packer/docs/plugins."""


def test_an_unknown_tier_is_told_which_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", "--tier", "n200"]) == 2
    assert capsys.readouterr().out == "There is no tier 'n200'. Tiers: i5, i7, n100, vm.\n"


def test_the_catalogue_of_models_is_no_tier(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", "--tier", "models"]) == 2


def test_a_path_is_no_tier(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", "--tier", "../hardware_profiles/vm"]) == 2


def test_a_missing_program_is_named_by_its_package() -> None:
    programs = [
        Program("no-such-program", "one-package"),
        Program("/no/such/file", "other-package"),
        Program("sh", "dash"),
    ]
    with pytest.raises(
        BadInput, match=r"^Programs are missing: apt-get install one-package other-"
    ):
        require_programs(programs)


def test_nobody_but_root_makes_an_image() -> None:
    with pytest.raises(BadInput, match="sudo make image"):
        require_root(1000)


def test_too_little_space_is_said_in_figures(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"has 1\.0 GB free and the build needs 5\.0 GB\. Remove"):
        require_space(tmp_path, needed=5 << 30, free=1 << 30)


def test_room_is_asked_for_all_that_a_build_writes_to_one_disk(tmp_path: Path) -> None:
    plan = plan_below(tmp_path, tier_id="i7", preload=True)
    plan.cache.mkdir()
    models = size_of_models(models_of(plan))
    assert models > 1 << 30
    first = CACHE_BYTES + WORK_BYTES + OUT_BYTES + 5 * models
    assert room_needed(plan) == {tmp_path: first}
    for model in models_of(plan):
        (plan.models / "models" / model).mkdir(parents=True)
        (plan.models / "models" / model / "manifest.json").touch()
    assert room_needed(plan) == {tmp_path: first - models}


def test_what_was_not_prepared_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"ansible-playbook is not there. Run `make image`"):
        require_prepared([tmp_path / "ansible-playbook"])


def test_a_machine_without_network_is_told_so() -> None:
    nobody = Repository("http://127.0.0.1:9/debian/", ["trixie"])
    with pytest.raises(BadInput, match="Debian cannot be reached"):
        require_mirror(nobody)


def test_sources_without_history_need_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "runtime" / "allerac"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text('__version__ = "1.2.3"\n')
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    with pytest.raises(BadInput, match="set SOURCE_DATE_EPOCH"):
        read_source(tmp_path)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    assert read_source(tmp_path).epoch == 1_700_000_000


def test_sources_with_changes_that_no_commit_has_say_so(tmp_path: Path) -> None:
    package = tmp_path / "runtime" / "allerac"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text('__version__ = "1.2.3"\n')
    author = ("-c", "user.name=Test", "-c", "user.email=test@example.org")
    for words in (("init", "-q"), ("add", "."), (*author, "commit", "-q", "-m", "first")):
        subprocess.run(["/usr/bin/git", "-C", tmp_path, *words], check=True, timeout=30)
    clean = read_source(tmp_path).commit
    assert re.fullmatch(r"[0-9a-f]{40}", clean)
    (package / "__init__.py").write_text('__version__ = "1.2.4"\n')
    assert read_source(tmp_path).commit == f"{clean}+"


def test_sources_without_a_version_are_refused() -> None:
    with pytest.raises(BadInput, match="no __version__"):
        version_of("x = 1\n")


def test_a_plan_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text("half a pl")
    with pytest.raises(BadInput, match="is no plan"):
        Plan.load(tmp_path / "plan.json")


def test_a_plan_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    plan = plan_below(tmp_path, sector_bytes=4096, preload=True)
    assert Plan.load(plan.save()) == plan


def test_a_failed_step_says_which_it_was_and_where_its_log_is(tmp_path: Path) -> None:
    plan = plan_below(tmp_path)

    def fail(plan: Plan, log: StepLog) -> None:
        log.run(["sh", "-c", "echo the disk is on fire; exit 3"])

    step = Step(STEPS[5].name, STEPS[4].title, fail)
    with pytest.raises(ImageError) as caught:
        run_step(step, plan)
    said = str(caught.value)
    assert "the disk is on fire\n" in said
    assert f"✗ Step 6 of {len(STEPS)} failed: {step.title}\n" in said
    assert "sh ended with status 3" in said
    assert f"The whole log is {plan.logs}/06-" in said
    assert caught.value.exit_status == 1


def test_a_step_that_fails_in_packer_is_told_like_any_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = plan_below(tmp_path)
    plan.save()
    plan.logs.mkdir()
    with (
        alone(plan.work) as lock,
        pytest.raises(ImageError, match=rf"The image was not made; {plan.out} is as it was\."),
    ):
        run_packer(plan, lock)
    said = capsys.readouterr().out
    assert "▸  4 of 14  Root unpacked\n" in said
    assert "✗ Step 4 of 14 failed: Root unpacked\n" in said
    assert f"The whole log is {plan.logs}/04-unpack.log\n" in said
    assert "▸  5 of" not in said


def test_an_unknown_step_is_told_which_there_are() -> None:
    with pytest.raises(BadInput, match="Steps: debian, wheelhouse, models, "):
        step_called("bake")


def test_packer_takes_the_template_without_a_plugin_that_is_not_built_in(tmp_path: Path) -> None:
    variables = tmp_path / "variables.pkrvars.json"
    words = {"python": "python", "plan": "plan", "staging": "staging", "files": ["file"]}
    variables.write_text(json.dumps(words))
    command = ["packer", "validate", f"-var-file={variables}", str(TEMPLATE)]
    told = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert told.returncode == 0, told.stdout + told.stderr
    parts = re.findall(
        r'^\s*(?:source|provisioner|post-processor) "([^"]+)"', TEMPLATE.read_text(), re.M
    )
    assert set(parts) <= BUILT_IN
    assert "required_plugins" not in TEMPLATE.read_text()


def test_packer_runs_every_step_in_the_order_of_the_pipeline() -> None:
    template = TEMPLATE.read_text("utf-8")
    called = [
        line.split()[-1].strip('",') for line in template.splitlines() if "local.step} " in line
    ]
    assert called == [step.name for step in MAKING]


def test_a_part_that_outgrows_its_slot_stops_the_build(tmp_path: Path) -> None:
    image = tmp_path / "boot.img"
    image.write_bytes(bytes(3 << 20))
    refuse_too_large(image, 3 << 20, "boot_slot_bytes")
    with pytest.raises(ImageError, match=r"boot\.img has 3 MiB .* disk\.boot_slot_bytes is 2 MiB"):
        refuse_too_large(image, 2 << 20, "boot_slot_bytes")
