"""What a box left on its disk, read while it is off."""

import json
import subprocess
from pathlib import Path
from typing import Any

JOURNAL_FIELDS = "MESSAGE,MESSAGE_ID,UNIT,PRIORITY,SYSLOG_IDENTIFIER"
UNIT_FAILED = "d9b373ed55a64feb8242e02dbe79a49c"
"""SD_MESSAGE_UNIT_FAILURE_RESULT of systemd's message catalogue (sd-messages.h)."""


def _output(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout


def sparse_copy(disk: Path, to: Path) -> Path:
    """Copy a disk without its holes."""
    _output("cp", "--sparse=always", "--reflink=auto", str(disk), str(to))
    return to


def partitions(disk: Path) -> dict[str, tuple[int, int]]:
    """Return start and size in bytes of each partition by its GPT name."""
    table = json.loads(_output("sfdisk", "--json", str(disk)))["partitiontable"]
    sector = int(table.get("sectorsize", 512))
    return {
        part["name"]: (part["start"] * sector, part["size"] * sector)
        for part in table["partitions"]
    }


def partition(disk: Path, name: str, to: Path) -> Path:
    """Copy a partition to a (sparse) file of its own."""
    start, size = partitions(disk)[name]
    copy = ("dd", f"if={disk}", f"of={to}", "bs=1M", "conv=sparse", "status=none")
    _output(*copy, "iflag=skip_bytes,count_bytes", f"skip={start}", f"count={size}")
    with to.open("ab") as file:
        file.truncate(size)
    return to


def erase(disk: Path, name: str) -> None:
    """Have a partition full of zeros."""
    start, size = partitions(disk)[name]
    hole = ("fallocate", "--punch-hole", f"--offset={start}", f"--length={size}")
    _output(*hole, str(disk))


def check_ext4(image: Path) -> subprocess.CompletedProcess[str]:
    """Replay the journal and check everything; the exit status is 0 when all was well (fsck(8))."""
    subprocess.run(
        ["e2fsck", "-p", "-E", "journal_only", str(image)],  # noqa: S607  # the system's own
        check=False,
        capture_output=True,
        timeout=120,
    )
    return subprocess.run(
        ["e2fsck", "-f", "-n", str(image)],  # noqa: S607  # the system's own
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )


def check_quickly(image: Path) -> int:
    """Check as a start does that repairs only what is safe; return the exit status of e2fsck(8)."""
    command = ["e2fsck", "-p", str(image)]
    return subprocess.run(command, check=False, capture_output=True, timeout=120).returncode


def put_file(disk: Path, name: str, file: Path) -> None:
    """Put `file` into the root folder of an ext4 partition, under its own name."""
    _change(disk, name, f"write {file} {file.name}")


def lose_file(disk: Path, name: str, file: Path) -> None:
    """Put `file` into a partition without a folder that has it: a fault of its file system."""
    put_file(disk, name, file)
    _change(disk, name, f"unlink {file.name}", "set_super_value state 2")


def put_file_in(disk: Path, name: str, folder: str, file: Path) -> None:
    """Put `file` into a new folder of an ext4 partition; it belongs to root and keeps its mode."""
    orders = f"mkdir {folder}\ncd {folder}\nwrite {file} {file.name}\n"
    place = f"{disk}?offset={partitions(disk)[name][0]}"
    command = ["debugfs", "-w", "-f", "-", place]
    subprocess.run(command, input=orders, text=True, check=True, capture_output=True, timeout=120)


def _change(disk: Path, name: str, *requests: str) -> None:
    for request in requests:
        _output("debugfs", "-w", "-R", request, f"{disk}?offset={partitions(disk)[name][0]}")


def folder_of(image: Path, folder: str, to: Path) -> Path:
    """Copy a folder out of an ext4 image without mounting it."""
    to.mkdir(parents=True)
    _output("debugfs", "-R", f"rdump {folder} {to}", str(image))
    return to / Path(folder).name


def journal(folder: Path) -> list[dict[str, Any]]:
    """Return all entries of a journal folder."""
    text = _output(
        "journalctl", f"--directory={folder}", "--output=json", f"--output-fields={JOURNAL_FIELDS}"
    )
    return [json.loads(line) for line in text.splitlines()]


def complaints(disk: Path, scratch: Path) -> list[str]:
    """Return what is wrong after a start: a unit that failed or waited in a circle, a damaged disk.

    `scratch` is a folder to work in.
    """
    data = partition(disk, "data", scratch / "data.img")
    found = [] if check_ext4(data).returncode == 0 else ["the data partition is damaged"]
    for entry in journal(folder_of(data, "/overlay/var/upper/log/journal", scratch / "log")):
        message = str(entry.get("MESSAGE"))
        if entry.get("MESSAGE_ID") == UNIT_FAILED or "ordering cycle" in message:
            found.append(message)
    return found
