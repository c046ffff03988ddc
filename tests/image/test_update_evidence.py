"""The table says what ran, and how it ended, and keeps what ran before."""

from pathlib import Path

import pytest

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
