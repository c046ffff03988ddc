"""A kept image is taken only for the very sources that it was made from."""

import subprocess
from pathlib import Path

import pytest

from bootstrap import steps
from tests.image import kept_image as kept
from tests.image.kept_image import kept_image


@pytest.fixture
def builds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """A checkout of three files, under a cache without anything; returns what was built."""
    checkout = tmp_path / "checkout"
    for name in ("runtime/allerac/__init__.py", "tests/test.py", "onboarding_ui/src/main.tsx"):
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        (checkout / name).write_text('__version__ = "1.0.0"\n')
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(kept, "REPOSITORY", checkout)
    monkeypatch.setattr(steps, "REPOSITORY", checkout)
    _git(checkout, "init", "--quiet")
    _commit(checkout)
    return []


def _git(checkout: Path, *words: str) -> None:
    who = ("-c", "user.name=Test", "-c", "user.email=test@example.org")
    subprocess.run(["/usr/bin/git", *who, *words], cwd=checkout, check=True)


def _commit(checkout: Path) -> None:
    _git(checkout, "add", "--all")
    _git(checkout, "commit", "--quiet", "--message", "changed")


def _take(builds: list[Path], *words: str) -> Path:
    def build(folder: Path) -> None:
        folder.mkdir()
        (folder / "disk.img").write_text(str(len(builds)))
        builds.append(folder)

    return kept_image(build, *words)


def test_is_built_once_for_equal_sources(builds: list[Path]) -> None:
    assert (_take(builds) / "disk.img").read_text() == "0"
    assert (_take(builds) / "disk.img").read_text() == "0"
    assert len(builds) == 1


@pytest.mark.parametrize(
    "changed",
    ["runtime/allerac/__init__.py", "runtime/allerac/new.py", "onboarding_ui/dist/index.html"],
)
def test_is_built_again_when_what_it_is_made_from_is_another(
    builds: list[Path], changed: str
) -> None:
    _take(builds)
    path = steps.REPOSITORY / changed
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('__version__ = "1.0.0"  # changed\n')
    _take(builds)
    _take(builds)
    assert len(builds) == 2


def test_is_built_again_for_another_commit_other_keys_and_other_words(
    builds: list[Path], tmp_path: Path
) -> None:
    _take(builds)
    (steps.REPOSITORY / "tests/new.py").write_text("")
    _commit(steps.REPOSITORY)
    _take(builds)
    assert len(builds) == 2
    _take(builds, "another server")
    assert len(builds) == 3
    keys = tmp_path / "cache/allerac/keys"
    keys.mkdir()
    (keys / "ca.crt").write_text("another")
    _take(builds, "another server")
    assert len(builds) == 4


def test_tests_alone_do_not_make_it_another(builds: list[Path]) -> None:
    _take(builds)
    (steps.REPOSITORY / "tests/new.py").write_text("")
    _take(builds)
    assert len(builds) == 1


def test_a_build_that_fails_leaves_nothing_to_be_taken(builds: list[Path]) -> None:
    def fail(folder: Path) -> None:
        folder.mkdir()
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="the disk is full"):
        kept_image(fail)
    _take(builds)
    assert len(builds) == 1
