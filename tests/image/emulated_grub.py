"""GRUB as a program of this system, started on a disk of ours: which slot does it choose?"""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from allerac_image.disk import put
from allerac_image.grub import environment_block, grub_configuration
from allerac_image.layout import KINDS, MIB, Partition, disk_bytes, places
from allerac_image.partition_table import write_partition_table
from allerac_image.plan import IMAGE
from tests.image.plans import plan_below

TABLE = [
    Partition(1, "esp", KINDS["esp"], 2 * MIB),
    Partition(2, "boot-A", KINDS["boot-A"], MIB),
    Partition(3, "boot-B", KINDS["boot-B"], MIB),
]
FOLDER = "::EFI/BOOT"
STAND_INS = (("linux (", "started ("), ("initrd (", "true ("), ("boot; fi", "leave; fi"))
"""What starts a kernel → what notes that it would have been started."""

START = """
set root=hd0,gpt1
function started { set CHOSEN="$slot"; set WITH="$machine"; }
function leave { save_env --file ($root)/EFI/BOOT/chosen CHOSEN WITH; exit; }
function reboot { leave; }
source ($root)/EFI/BOOT/grub.cfg
"""
SECONDS = 20


@dataclass(frozen=True, slots=True)
class Started:
    """What one start came to: a slot or none, and what the kernel and a person are told."""

    slot: str
    machine: str
    complaints: list[str]


class EmulatedGrub:
    """A disk with both boot slots filled, or with those in `slots`."""

    def __init__(self, folder: Path, slots: str = "AB") -> None:
        self._folder = folder
        self._disk = folder / "disk.img"
        with self._disk.open("wb") as disk:
            disk.truncate(disk_bytes(TABLE))
        plan = plan_below(folder)
        ids = [plan.uuid(partition.label) for partition in TABLE]
        write_partition_table(self._disk, TABLE, 512, plan.uuid("disk"), ids)
        offsets = {partition.label: offset for partition, offset in places(TABLE)}
        self._esp = f"{self._disk}@@{offsets['esp']}"
        self._make_esp(offsets["esp"])
        boot = self._boot_slot()
        for slot in slots:
            put(boot, self._disk, offsets[f"boot-{slot}"])
        template = (IMAGE / "files" / "grub.cfg").read_text("utf-8").replace("sleep 60\n", "")
        for word, stand_in in STAND_INS:
            template = template.replace(word, stand_in)
        self.write("grub.cfg", grub_configuration(plan, template).encode())
        self.write("turnsenv", environment_block("LAST="))
        (folder / "grub.cfg").write_text(START)
        (folder / "device.map").write_text(f"(hd0) {self._disk}\n")

    def switch_on(self) -> Started:
        """Start once; raises `TimeoutExpired` when GRUB neither boots nor restarts."""
        self.write("chosen", environment_block("CHOSEN=", "WITH="))
        told = subprocess.run(
            [
                "/usr/bin/grub-emu",
                "-m",
                self._folder / "device.map",
                "-d",
                self._folder,
                "-r",
                "host",
            ],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env={"TERM": "vt100"},
            timeout=SECONDS,
            check=False,
        )
        chosen = variables(self.read("chosen"))
        complaints = re.findall(r"error: (.*?)\.", told.stdout.decode(errors="replace"))
        return Started(chosen["CHOSEN"], chosen["WITH"], complaints)

    def write(self, name: str, content: bytes) -> None:
        """Put a file beside GRUB's configuration, in place of the one there."""
        source = self._folder / "file"
        source.write_bytes(content)
        _run(["/usr/bin/mcopy", "-o", "-i", self._esp, source, f"{FOLDER}/{name}"])

    def read(self, name: str) -> bytes:
        """Return a file beside GRUB's configuration."""
        return _run(["/usr/bin/mcopy", "-n", "-i", self._esp, f"{FOLDER}/{name}", "-"])

    def remove(self, name: str) -> None:
        """Remove a file beside GRUB's configuration."""
        _run(["/usr/bin/mdel", "-i", self._esp, f"{FOLDER}/{name}"])

    def _make_esp(self, offset: int) -> None:
        esp = self._folder / "esp.img"
        with esp.open("wb") as file:
            file.truncate(TABLE[0].size)
        _run(["/usr/sbin/mkfs.vfat", esp])
        put(esp, self._disk, offset)
        _run(["/usr/bin/mmd", "-i", self._esp, "::EFI", FOLDER])

    def _boot_slot(self) -> Path:
        files, image = self._folder / "boot", self._folder / "boot.img"
        files.mkdir()
        (files / "slot.cfg").write_text('set slot_parameters="root=of-this-slot"\n')
        for name in ("vmlinuz", "initrd"):
            (files / name).touch()
        _run(["/usr/bin/mksquashfs", files, image, "-noI", "-noD", "-noF", "-noX", "-quiet"])
        return image


def variables(block: bytes) -> dict[str, str]:
    """Return the assignments in an environment block."""
    return dict(re.findall(r"^([A-Z_]+)=(.*)$", block.decode(), re.MULTILINE))


def _run(command: list[str | Path]) -> bytes:
    return subprocess.run(command, capture_output=True, check=True).stdout
