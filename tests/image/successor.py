"""The next version of a built image, made in a minute: its root is taken apart and changed."""

import dataclasses
import hashlib
import json
import random
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from allerac_image.bundle import make_bundle
from allerac_image.log import StepLog, clean_environment
from allerac_image.plan import Plan
from allerac_image.slot import make_boot, make_root
from bootstrap.steps import cache_folder
from tests.image.conftest import BuiltImage
from tests.image.offline_disk import partition
from tests.image.plans import plan_below

Change = Callable[[Path], None]
"""Does something to the folder of a root."""

PYTHON = "/opt/allerac/venv/bin/python"
PACKAGE = "opt/allerac/venv/lib/python3*/site-packages/allerac"
SECONDS = 300
LINKED_BYTES = 64 * 1024
"""Smaller copies shift next to nothing in the image."""


def _run(*command: str | Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)
    assert done.returncode == 0, done.stdout + done.stderr


@dataclasses.dataclass(frozen=True, slots=True)
class Predecessor:
    """What boxes run: the files of its root and boot slot, and how they were made."""

    folder: Path
    plan: Plan

    @classmethod
    def of(cls, image: BuiltImage, folder: Path) -> "Predecessor":
        """Take the slots A of a built image apart in `folder`."""
        folder.mkdir(parents=True)
        disk = image.file(".img")
        root, boot = (partition(disk, name, folder / name) for name in ("root-A", "boot-A"))
        _run("/usr/bin/fsck.erofs", f"--extract={folder / 'root'}", root)
        _run("/usr/bin/unsquashfs", "-quiet", "-no-progress", "-d", folder / "boot", boot)
        _link_again(root, folder / "root")
        for part in (root, boot):
            part.unlink()
        (folder / "boot/slot.cfg").unlink()
        told = json.loads((image.folder / "build-summary.json").read_text())
        plan = plan_below(
            folder,
            version=told["version"],
            commit=told["commit"],
            epoch=told["epoch"],
            keys=cache_folder() / "keys",
        )
        return cls(folder, plan)

    def successor(self, version: str, folder: Path, *changes: Change) -> Path:
        """Return the bundle, as a build leaves it, of `version` with these changes."""
        plan = dataclasses.replace(self.plan, version=version, work=folder, out=folder / "out")
        for made in (plan.parts, plan.staging):
            made.mkdir(parents=True)
        # Links: nothing is copied that no change writes anew.
        _run("/usr/bin/cp", "-al", self.folder / "root", plan.root)
        shutil.copytree(self.folder / "boot", plan.parts / "boot")
        for change in (_named(self.plan.version, version), *changes):
            change(plan.root)
        log = StepLog(folder / "log", clean_environment(plan.epoch))
        for step in (make_root, make_boot, make_bundle):
            step(plan, log)
        shutil.rmtree(plan.root)
        for name in ("root.img", "boot.img"):
            (plan.parts / name).unlink()
        return plan.staging / f"{plan.name}.raucb"


def _link_again(image: Path, root: Path) -> None:
    """Make one file of those that are one in the image: taking it apart makes copies."""
    seen: dict[tuple[int, bytes], list[Path]] = {}
    for path in sorted(root.rglob("*")):
        if path.is_file() and not path.is_symlink() and path.stat().st_size >= LINKED_BYTES:
            key = (path.stat().st_size, hashlib.sha256(path.read_bytes()).digest())
            seen.setdefault(key, []).append(path)
    for first, *others in seen.values():
        for other in others:
            if _number(image, root, first) == _number(image, root, other):
                other.unlink()
                other.hardlink_to(first)


def _number(image: Path, root: Path, path: Path) -> str:
    inside = f"--path=/{path.relative_to(root)}"
    told = subprocess.run(
        ["/usr/bin/dump.erofs", inside, image], check=True, capture_output=True, text=True
    ).stdout
    (number,) = re.findall(r"NID: (\d+)", told)
    return str(number)


def write(root: Path, name: str, content: str) -> None:
    """Replace or add a file; what a link led to, in the predecessor, stays as it is."""
    path = root / name
    mode = path.stat().st_mode if path.exists() else 0o644
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.write_text(content)
    path.chmod(mode)


def replace(root: Path, name: str, old: str, new: str) -> None:
    """Replace the first `old`, which has to be there."""
    text = (root / name).read_text()
    assert old in text, f"{name} has no {old!r}"
    write(root, name, text.replace(old, new, 1))


def change_runtime(root: Path, module: str, old: str, new: str) -> None:
    """Change one file of the runtime and compile it, as the build did."""
    (package,) = root.glob(PACKAGE)
    path = package / module
    replace(root, str(path.relative_to(root)), old, new)
    for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"):
        compiled.unlink()
    how = ["-q", "-f", "--invalidation-mode", "unchecked-hash"]
    inside = f"/{path.relative_to(root)}"
    _run("/usr/sbin/chroot", root, PYTHON, "-m", "compileall", *how, inside)


def with_more_in_one_file(root: Path) -> None:
    """Let a file of the runtime grow, which moves everything behind it in the image."""
    words = random.Random(1).randbytes(8000).hex()  # noqa: S311 - that cannot be compressed
    change_runtime(root, "settings.py", "class Settings", f"WORDS = {words!r}\n\n\nclass Settings")


def _named(old: str, new: str) -> Change:
    def rename(root: Path) -> None:
        replace(root, "usr/lib/os-release", f"IMAGE_VERSION={old}", f"IMAGE_VERSION={new}")
        replace(root, "etc/allerac/update.yaml", f'version: "{old}"', f'version: "{new}"')
        replace(root, "etc/allerac/release", f"VERSION={old}", f"VERSION={new}")
        change_runtime(root, "__init__.py", f'__version__ = "{old}"', f'__version__ = "{new}"')

    return rename
