"""What a boot slot holds: the verified root, and the small image GRUB can read."""

import hashlib
import re
from pathlib import Path

from allerac.yaml_files import read_yaml

from .errors import ImageError
from .log import StepLog, clean_environment
from .plan import IMAGE, Plan

BLOCK_BYTES = 4096
"""Of the root, its hash tree, and the unit in which an update fetches what changed."""

KEPT_EMPTY = "^(dev|proc|sys|run|tmp|boot)/.+"
MIB = 1 << 20


def make_root(plan: Plan, log: StepLog) -> None:
    """Write `root.img` (erofs followed by its dm-verity tree) and what GRUB must know of it."""
    image = plan.parts / "root.img"
    # Small files in blocks of their own: among the inodes they would be new with every address.
    compression = ["-zlz4hc", f"-C{BLOCK_BYTES}", "-Enoinline_data"]
    identity = [f"-T{plan.epoch}", f"-U{plan.uuid('root')}"]
    skipped = f"--exclude-regex={KEPT_EMPTY}"
    # With SOURCE_DATE_EPOCH only newer times are changed; one time for all makes small inodes.
    environment = clean_environment(plan.epoch)
    del environment["SOURCE_DATE_EPOCH"]
    make = ["mkfs.erofs", "--quiet", *compression, *identity, skipped]
    log.run([*make, image, plan.root], environment=environment)
    hash_offset = pad(image)
    report = log.output(
        [
            "veritysetup",
            "format",
            f"--data-block-size={BLOCK_BYTES}",
            f"--hash-block-size={BLOCK_BYTES}",
            f"--salt={salt_of(plan)}",
            f"--uuid={plan.uuid('verity')}",
            f"--hash-offset={hash_offset}",
            image,
            image,
        ]
    )
    log.write(report)
    pad(image)
    refuse_too_large(image, plan.tier.disk["root_slot_bytes"], "root_slot_bytes")
    config = slot_configuration(plan, root_hash_of(report), hash_offset)
    (plan.parts / "boot" / "slot.cfg").write_text(config)


def salt_of(plan: Plan) -> str:
    """Return the salt of the hash tree: every version's, or an update would fetch all of a tree."""
    return hashlib.sha256(plan.tier.compatible.encode()).hexdigest()


def make_boot(plan: Plan, log: StepLog) -> None:
    """Write `boot.img`: kernel, initrd and `slot.cfg`, stored, because GRUB reads nothing newer."""
    image = plan.parts / "boot.img"
    stored = ["-noI", "-noD", "-noF", "-noX", "-no-fragments", "-comp", "gzip"]
    quiet = ["-noappend", "-no-progress", "-quiet", "-all-root", "-no-xattrs"]
    order = plan.parts / "boot.order"
    order.write_text("slot.cfg -1\n")  # last: what differs in every version moves nothing else
    log.run(["mksquashfs", plan.parts / "boot", image, *stored, *quiet, "-sort", order])
    pad(image)
    refuse_too_large(image, plan.tier.disk["boot_slot_bytes"], "boot_slot_bytes")


def root_hash_of(report: str) -> str:
    """Return the root hash that `veritysetup format` printed."""
    found = re.search(r"^Root hash:\s+([0-9a-f]{64})$", report, re.MULTILINE)
    if found is None:
        raise ImageError("veritysetup did not say the root hash.")
    return found[1]


def slot_configuration(plan: Plan, root_hash: str, hash_offset: int) -> str:
    """Return the `slot.cfg` that GRUB sources: what an update brings of the command line.

    GRUB itself is not updated, so only the slot, the disk's identifiers and the machine's are its.
    """
    common = read_yaml(IMAGE / "kernel.yaml")["parameters"]
    verity = [
        "root=/dev/mapper/root",
        "systemd.verity=1",
        f"roothash={root_hash}",
        "systemd.verity_root_data=PARTUUID=$root_partuuid",
        "systemd.verity_root_hash=PARTUUID=$root_partuuid",
        f"systemd.verity_root_options=hash-offset={hash_offset},panic-on-corruption",
    ]
    parameters = " ".join([*verity, *common, *plan.tier.image["kernel_parameters"]])
    return f'set slot_parameters="{parameters}"\n'


def pad(image: Path) -> int:
    """Make the file's size a multiple of the block and return it."""
    size = -(-image.stat().st_size // BLOCK_BYTES) * BLOCK_BYTES
    with image.open("r+b") as file:
        file.truncate(size)
    return size


def refuse_too_large(image: Path, limit: int, name: str) -> None:
    """Refuse a partition's content that does not fit; `name` is the field of the profile."""
    size = image.stat().st_size
    if size > limit:
        raise ImageError(
            f"{image.name} has {size / MIB:.0f} MiB and the tier's disk.{name} is "
            f"{limit / MIB:.0f} MiB: enlarge the slot or take packages out."
        )
