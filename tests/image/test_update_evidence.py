"""The table says what ran, and how it ended, and keeps what ran before."""

from pathlib import Path

import pytest

from allerac_release.evidence import cases_in, required_cases
from tests.image.test_update_faults import CASES
from tests.image.update_evidence import HEAD, Evidence

COMMIT = "0123456789abcdef"


def _lines(file: Path) -> list[str]:
    return file.read_text("utf-8").removeprefix(HEAD).splitlines()


def test_each_case_and_seed_has_one_line(tmp_path: Path) -> None:
    file = tmp_path / "table.md"
    for seed, result in ((1, "back"), (2, "back"), (1, "back by itself")):
        with Evidence(file, seed, COMMIT).of("kernel panic") as trial:
            trial.result = result
    first, second = _lines(file)
    assert first.startswith("| kernel panic | 1 | back by itself | 0 | 0123456 |")
    assert second.startswith("| kernel panic | 2 | back | 0 | 0123456 |")


def test_a_case_that_fails_is_in_the_table(tmp_path: Path) -> None:
    file = tmp_path / "table.md"
    with pytest.raises(ZeroDivisionError), Evidence(file, 7, COMMIT).of("hang") as trial:
        trial.result = str(1 // 0)
    (line,) = _lines(file)
    assert line.startswith("| hang | 7 | FAILED: ZeroDivisionError | 0 | 0123456 |")


def test_nothing_is_written_when_nobody_asked_for_it(tmp_path: Path) -> None:
    with Evidence(None, 1, COMMIT).of("hang"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_the_release_tool_reads_what_is_written(tmp_path: Path) -> None:
    file = tmp_path / "table.md"
    evidence = Evidence(file, 1, COMMIT)
    with evidence.of("power cut: switch 2") as trial:
        trial.result = "works: 0.1.0, installed"
    with pytest.raises(TimeoutError), evidence.of("hang"):
        raise TimeoutError
    read = {case.name: (case.passed, case.commit) for case in cases_in(file.read_bytes())}
    assert read == {"power cut: switch 2": (True, COMMIT[:7]), "hang": (False, COMMIT[:7])}


def test_a_release_has_to_show_what_the_matrix_runs() -> None:
    assert sorted(required_cases()) == sorted(CASES)
