"""The partitions of a disk: their order, names, kinds and places."""

import dataclasses
from collections.abc import Iterator, Sequence

from .errors import ImageError
from .plan import Plan

MIB = 1 << 20
EDGE_BYTES = MIB
"""Left free at both ends for the partition tables; partitions begin on whole MiB."""

EFI_SYSTEM = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"
LINUX_DATA = "0fc63daf-8483-4772-8e79-3d69d8477de4"
BOOT_SLOT = "4ba90a1b-79a2-4be4-8de9-1c0d1a4b9c01"
ROOT_SLOT = "4ba90a1b-79a2-4be4-8de9-1c0d1a4b9c02"
IDENTITY = "4ba90a1b-79a2-4be4-8de9-1c0d1a4b9c03"
"""The UEFI specification's kind, the UAPI Group's for data, and three of our own.

systemd-repart finds the partition to grow by its kind, so `data` is the only one of Linux data.
"""


@dataclasses.dataclass(frozen=True, slots=True)
class Partition:
    """One partition; `size` is in bytes, `label` its PARTLABEL."""

    number: int
    label: str
    kind: str
    size: int


KINDS = {
    "esp": EFI_SYSTEM,
    "boot-A": BOOT_SLOT,
    "boot-B": BOOT_SLOT,
    "root-A": ROOT_SLOT,
    "root-B": ROOT_SLOT,
    "identity": IDENTITY,
    "data": LINUX_DATA,
}
"""Label → kind, in the order of the disk."""


def partitions_of(plan: Plan, data_bytes: int) -> list[Partition]:
    """Return the partitions of the plan's disk, the data partition with `data_bytes`."""
    disk = plan.tier.disk
    sizes = {
        "esp": disk["esp_bytes"],
        "boot-A": disk["boot_slot_bytes"],
        "boot-B": disk["boot_slot_bytes"],
        "root-A": disk["root_slot_bytes"],
        "root-B": disk["root_slot_bytes"],
        "identity": disk["identity_bytes"],
        "data": data_bytes,
    }
    return [
        Partition(number, label, kind, sizes[label])
        for number, (label, kind) in enumerate(KINDS.items(), 1)
    ]


def number_of(label: str) -> int:
    """Return the number of the partition `label`."""
    return list(KINDS).index(label) + 1


def places(partitions: Sequence[Partition]) -> Iterator[tuple[Partition, int]]:
    """Yield each partition with the byte it begins at."""
    offset = EDGE_BYTES
    for partition in partitions:
        if partition.size % MIB:
            raise ImageError(f"The size of {partition.label} is not in whole MiB.")
        yield partition, offset
        offset += partition.size


def disk_bytes(partitions: Sequence[Partition]) -> int:
    """Return the size of the whole disk."""
    return 2 * EDGE_BYTES + sum(partition.size for partition in partitions)
