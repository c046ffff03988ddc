"""The guide shows a job that is read and names every command there is."""

import re
from pathlib import Path

import pytest

from allerac_factory.cli import main
from allerac_factory.job import read_job

GUIDE = (Path(__file__).parents[2] / "docs" / "factory.md").read_text()


def test_job_in_the_guide_is_a_good_one(tmp_path: Path) -> None:
    found = re.search(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)
    assert found is not None
    path = tmp_path / "job.yaml"
    path.write_text(found[1])
    job = read_job(path)
    assert job.serials.serial(job.serials.first) == "ALR-N100-000001"
    assert len(job.targets) == job.count


def test_every_command_is_in_the_guide(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    commands = re.findall(r"^    (\w+)  ", capsys.readouterr().out, re.MULTILINE)
    assert len(commands) > 8
    missing = [
        name for name in commands if f"`{name}" not in GUIDE and f"factory {name}" not in GUIDE
    ]
    assert missing == []
