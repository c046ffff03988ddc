"""The initrd that every box of every tier boots with."""

import shutil
from pathlib import Path

from .chroot import run_in_root
from .errors import ImageError
from .log import StepLog
from .plan import IMAGE, Plan

FOLDER = "boot/dracut"
"""In the root while the initrd is made; the only configuration dracut reads."""


def make_initrd(plan: Plan, log: StepLog) -> None:
    """Write `vmlinuz` and `initrd` of the root's kernel into the parts."""
    version = kernel_version(plan.root)
    boot = plan.parts / "boot"
    boot.mkdir(parents=True)
    configuration = plan.root / FOLDER
    configuration.mkdir()
    shutil.copyfile(IMAGE / "files" / "dracut.conf", configuration / "allerac.conf")
    ours = ["--conf", f"/{FOLDER}/allerac.conf", "--confdir", f"/{FOLDER}"]
    command = ["dracut", "--force", "--kver", version, *ours, "/boot/initrd"]
    run_in_root(plan.root, log, command)
    shutil.move(plan.root / "boot/initrd", boot / "initrd")
    shutil.copyfile(plan.root / f"boot/vmlinuz-{version}", boot / "vmlinuz")


def kernel_version(root: Path) -> str:
    """Return the version of the one kernel in `root`; raise `ImageError` for none or several."""
    found = sorted(path.name for path in (root / "usr/lib/modules").glob("*"))
    if len(found) != 1:
        raise ImageError(f"The image needs one kernel, its root has: {', '.join(found) or 'none'}.")
    return found[0]
