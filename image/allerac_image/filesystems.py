"""File systems of the disk that are written to later: made without mounting anything."""

import os
from pathlib import Path

from .chroot import foreign
from .log import StepLog
from .models import copy_models
from .plan import Plan

MIB = 1 << 20
DATA_BYTES = 1 << 30
"""Of the data partition in the image, before models; the box grows it to its disk at first boot."""

ALLERAC = 970
"""User and group of the runtime."""

FOLDERS = {
    "allerac": (ALLERAC, 0o711),
    "allerac/models": (ALLERAC, 0o755),
    "network": (0, 0o700),
    "overlay": (0, 0o700),
    "overlay/var": (0, 0o755),
    "overlay/var/upper": (0, 0o755),
    "overlay/var/work": (0, 0o700),
    "rauc": (0, 0o700),
}
"""Folder of the data partition → owner and group, and mode."""

EXT4_OPTIONS = ("-q", "-F", "-t", "ext4", "-b", "4096", "-I", "256", "-m", "0")


def make_esp(plan: Plan, log: StepLog) -> Path:
    """Write the EFI system partition from the folder `esp` of the parts."""
    image = _empty(plan.parts / "esp.img", plan.tier.disk["esp_bytes"])
    serial = plan.salt("esp")[:8]
    sector = str(plan.sector_bytes)
    fixed = ["--invariant", "-i", serial, "-n", "ALLERAC", "-S", sector]
    log.run(["mkfs.vfat", "-F", "32", *fixed, image])
    folder = plan.parts / "esp"
    for path in sorted(folder.rglob("*")):
        os.utime(path, (plan.epoch, plan.epoch))
        inside = f"::/{path.relative_to(folder)}"
        if path.is_dir():
            log.run(["mmd", "-i", image, inside])
        else:
            log.run(["mcopy", "-m", "-i", image, path, inside])
    return image


def make_identity(plan: Plan, log: StepLog) -> Path:
    """Write the identity partition, empty until the factory fills it."""
    folder = plan.parts / "identity"
    folder.mkdir()
    return make_ext4(plan, log, folder, plan.tier.disk["identity_bytes"])


def make_data(plan: Plan, log: StepLog) -> Path:
    """Write the data partition with its folders and the preloaded models."""
    folder = plan.parts / "data"
    for name, (owner, mode) in FOLDERS.items():
        _own(folder / name, owner, mode)
    models = folder / "allerac/models"
    copy_models(plan, models)
    for path in sorted(models.rglob("*")):
        _own(path, ALLERAC, 0o755 if path.is_dir() else 0o644)
    content = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    size = min(plan.tier.disk["data_min_bytes"], DATA_BYTES) + content + content // 50
    return make_ext4(plan, log, folder, -(-size // MIB) * MIB)


def make_ext4(plan: Plan, log: StepLog, folder: Path, size: int) -> Path:
    """Write an ext4 file system of `size` bytes that holds `folder`.

    Older mke2fs than the image's (1.47.1) put the time of the build into the file system.
    """
    image = _empty(folder.with_suffix(".img"), size)
    for path in [folder, *folder.rglob("*")]:
        os.utime(path, (plan.epoch, plan.epoch), follow_symlinks=False)
    seed = plan.uuid(f"{folder.name}/hash")
    extended = f"hash_seed={seed},lazy_itable_init=0,lazy_journal_init=0,root_owner=0:0"
    names = ["-L", f"allerac-{folder.name}", "-U", plan.uuid(folder.name)]
    environment = {**(log.environment or {}), "MKE2FS_CONFIG": str(plan.root / "etc/mke2fs.conf")}
    mke2fs = foreign(plan.root, "usr/sbin/mke2fs")
    log.run(
        [*mke2fs, *EXT4_OPTIONS, *names, "-E", extended, "-d", folder, image],
        environment=environment,
    )
    return image


def _own(path: Path, owner: int, mode: int) -> None:
    if not path.exists():
        path.mkdir(parents=True)
    path.chmod(mode)
    os.chown(path, owner, owner)


def _empty(image: Path, size: int) -> Path:
    with image.open("wb") as file:
        file.truncate(size)
    return image
