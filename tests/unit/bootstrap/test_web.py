"""The web application is built once for each of its versions, and kept."""

import shutil
from pathlib import Path

import pytest

from bootstrap import steps, web


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What npm was told, in a checkout without anything built, under a cache without anything."""
    told: list[str] = []

    def npm(*words: str, log: str) -> None:
        told.append(" ".join(words))
        shutil.rmtree(web.DIST, ignore_errors=True)  # as Vite does
        web.DIST.mkdir(parents=True)
        (web.DIST / "index.html").write_text("built")

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(web, "npm", npm)
    monkeypatch.setattr(web, "prepare_node_modules", lambda: told.append("packages"))
    _fresh_clone(tmp_path / "one", monkeypatch)
    return told


def _fresh_clone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "DIST", folder / "dist")
    monkeypatch.setattr(steps, "BUILD", folder / "build")


def test_what_is_kept_is_taken_without_node(
    built: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    web.prepare_web()
    assert built == ["packages", "run build"]
    _fresh_clone(tmp_path / "other", monkeypatch)
    web.prepare_web()
    assert built == ["packages", "run build"]
    assert (web.DIST / "index.html").read_text() == "built"


def test_another_version_is_built_and_what_was_there_goes(
    built: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    web.prepare_web()
    (web.DIST / "of-old.js").write_text("old")
    other = tmp_path / "another"
    other.write_text("source")
    monkeypatch.setattr(steps, "REPOSITORY", tmp_path)
    monkeypatch.setattr(web, "_sources", lambda: [other])
    web.prepare_web()
    assert built[2:] == ["packages", "run build"]
    _fresh_clone(tmp_path / "third", monkeypatch)
    web.DIST.mkdir(parents=True)
    (web.DIST / "of-old.js").write_text("old")
    web.prepare_web()
    assert [path.name for path in web.DIST.iterdir()] == ["index.html"]


@pytest.fixture
def looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """How often npm looked at style and types of the one source there is."""
    told: list[str] = []

    def npm(*words: str, log: str, options: str) -> None:
        told.append(" ".join(words))
        if "fault" in (tmp_path / "source").read_text():
            raise steps.StepFailed("a fault")

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(web, "npm", npm)
    monkeypatch.setattr(web, "_sources", lambda: [tmp_path / "source"])
    monkeypatch.setattr(web, "API", tmp_path / "api")
    monkeypatch.setattr(web, "NODE_REQUIREMENT", tmp_path / "node.txt")
    monkeypatch.setattr(web, "WEB", tmp_path)
    monkeypatch.setattr(steps, "REPOSITORY", tmp_path)
    monkeypatch.setattr(steps, "BUILD", tmp_path / "build")
    (tmp_path / "node_modules").mkdir()
    for name in ("source", "api", "node.txt", "node_modules/.package-lock.json"):
        (tmp_path / name).write_text("well")
    return told


@pytest.mark.parametrize("changed", ["source", "api", "node.txt"])
def test_what_passed_is_looked_at_again_once_it_changed(
    looks: list[str], tmp_path: Path, changed: str
) -> None:
    web.check_web()
    web.check_web()
    assert len(looks) == 1
    (tmp_path / changed).write_text("other")
    web.check_web()
    assert len(looks) == 2


def test_what_did_not_pass_is_looked_at_every_time(looks: list[str], tmp_path: Path) -> None:
    (tmp_path / "source").write_text("fault")
    for _ in range(2):
        with pytest.raises(steps.StepFailed):
            web.check_web()
    assert len(looks) == 2


def test_what_passed_in_one_checkout_is_not_looked_at_in_another(
    looks: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    web.check_web()
    monkeypatch.setattr(steps, "BUILD", tmp_path / "another")
    web.check_web()
    assert len(looks) == 1


@pytest.fixture
def installs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What npm was told, in a checkout of a locked application, under a cache without anything."""
    told: list[str] = []

    def npm(*words: str, log: str) -> None:
        told.append(words[0])
        binaries = web.WEB / "node_modules" / ".bin"
        binaries.mkdir(parents=True)
        (binaries / "vite").symlink_to("../vite/cli.js")
        (web.WEB / "node_modules" / ".package-lock.json").write_text("locked")

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(web, "npm", npm)
    monkeypatch.setattr(web, "_node_version", lambda: web.MINIMUM_NODE)
    _clone_with_lock(tmp_path / "one", "1", monkeypatch)
    return told


def _clone_with_lock(folder: Path, lock: str, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.mkdir()
    for name in ("package.json", "package-lock.json", "node.txt"):
        (folder / name).write_text(lock)
    monkeypatch.setattr(web, "WEB", folder)
    monkeypatch.setattr(web, "NODE_REQUIREMENT", folder / "node.txt")
    monkeypatch.setattr(steps, "REPOSITORY", folder)
    monkeypatch.setattr(steps, "BUILD", folder / "build")


def test_packages_are_fetched_once_for_all_checkouts_of_a_lock(
    installs: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    web.prepare_node_modules()
    _clone_with_lock(tmp_path / "other", "1", monkeypatch)
    web.prepare_node_modules()
    assert installs == ["install"]
    assert (web.WEB / "node_modules" / ".bin" / "vite").readlink() == Path("../vite/cli.js")
    _clone_with_lock(tmp_path / "newer", "2", monkeypatch)
    web.prepare_node_modules()
    assert installs == ["install", "install"]


def test_kept_packages_have_nothing_of_an_older_lock(
    installs: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    web.prepare_node_modules()
    (web.WEB / "node_modules" / "of-old").mkdir()
    (web.WEB / "package-lock.json").write_text("2")
    web.prepare_node_modules()
    _clone_with_lock(tmp_path / "other", "2", monkeypatch)
    for name in ("package.json", "node.txt"):
        (web.WEB / name).write_text("1")
    web.prepare_node_modules()
    assert installs == ["install", "install"]
    assert not (web.WEB / "node_modules" / "of-old").exists()
