"""The packages of the box, from a lock."""

import hashlib
import zipfile
from pathlib import Path

import pytest

from allerac_image.errors import ImageError
from allerac_image.log import StepLog
from allerac_image.wheelhouse import locked_wheels
from tests.image.plans import plan_below


def lock_of_one(folder: Path, *, digest: str = "") -> Path:
    """Write a wheel into `folder` and a lock that names it by its hash, or by `digest`."""
    wheel = folder / "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("tiny.py", "")
        metadata = "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n"
        archive.writestr("tiny-1.0.dist-info/METADATA", metadata)
        archive.writestr("tiny-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
    found = digest or hashlib.sha256(wheel.read_bytes()).hexdigest()
    lock = folder / "lock.txt"
    lock.write_text(f"tiny==1.0 --hash=sha256:{found}\n")
    return lock


def test_what_was_fetched_is_kept_and_needs_nothing_the_second_time(tmp_path: Path) -> None:
    plan, log = plan_below(tmp_path), StepLog(tmp_path / "log", None)
    lock = lock_of_one(tmp_path)
    here = ["--no-index", f"--find-links={tmp_path}"]
    kept = locked_wheels(plan, log, lock, here)
    (tmp_path / "tiny-1.0-py3-none-any.whl").unlink()
    assert locked_wheels(plan, log, lock, here) == kept
    assert [path.name for path in kept.iterdir()] == ["tiny-1.0-py3-none-any.whl"]


def test_a_package_with_another_hash_is_refused_and_nothing_is_kept(tmp_path: Path) -> None:
    plan, log = plan_below(tmp_path), StepLog(tmp_path / "log", None)
    lock = lock_of_one(tmp_path, digest="0" * 64)
    with pytest.raises(ImageError, match="could not be fetched"):
        locked_wheels(plan, log, lock, ["--no-index", f"--find-links={tmp_path}"])
    assert [path.name for path in (plan.cache / "wheels").iterdir()] == [".lock"]
    assert "do not match" in log.path.read_text().lower()
