"""A PC in QEMU with Allerac's disk in it, as a library: power, network, serial console.

A guest under KVM hangs on some hosts although the device is there, so emulation is the rule and
`ALLERAC_ACCEL=kvm` the exception. Two emulated processors on a busy host of two cores cost twice
the time of one: hence `-smp 1`. What is slow to emulate is not offered: `rep stosb`, page tables of
five levels, and a second view of memory for the kernel (SMAP).

QEMU 7.2 keeps what it translated by virtual address, so it translates every program and library
again for each process, until its gigabyte is full and it begins anew. An emulated system therefore
puts them at the same addresses every time, by a credential that its systemd reads from the firmware
(systemd.system-credentials(7), "sysctl.extra"; SMBIOS type 11).
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from .errors import ImageError
from .qmp import Monitor

PROGRAM = "qemu-system-x86_64"
FIRMWARE = Path("/usr/share/OVMF")
FIRMWARE_CODE = "OVMF_CODE_4M.fd"
FIRMWARE_VARIABLES = "OVMF_VARS_4M.fd"

SAME_ADDRESSES = "type=11,value=io.systemd.credential:sysctl.extra=kernel.randomize_va_space=0"
ACCELERATORS: Mapping[str, tuple[str, ...]] = {
    "tcg": (
        *("-accel", "tcg,thread=multi", "-cpu", "max,-erms,-fsrm,-la57,-smap", "-smp", "1"),
        *("-smbios", SAME_ADDRESSES),
    ),
    "kvm": ("-accel", "kvm", "-cpu", "host", "-smp", "2"),
}
ESCAPES = re.compile(r"\x1b(\[[0-9;?=]*[ -/]*[@-~]|[()][A-Z0-9]|[=>78cDEHM])|\r")
"""Control sequences of terminals (ECMA-48), which firmware, GRUB and systemd send."""

NVME = "nvme"
READY_SECONDS = 60.0
POLL_SECONDS = 0.2
SAVE_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class UserNet:
    """A network inside QEMU that nobody else is on.

    `forwards` leads ports of 127.0.0.1 on the host to ports of the guest. With `restrict` the guest
    has no other way out.
    """

    forwards: Mapping[int, int] = field(default_factory=dict)
    restrict: bool = False

    def arguments(self) -> str:
        """Return the backend for `-netdev`."""
        ports = [f",hostfwd=tcp:127.0.0.1:{ours}-:{its}" for ours, its in self.forwards.items()]
        return f"user,id=net,restrict={'on' if self.restrict else 'off'}{''.join(ports)}"


@dataclass(frozen=True, slots=True)
class Tap:
    """A network interface of the host that exists already."""

    interface: str

    def arguments(self) -> str:
        """Return the backend for `-netdev`."""
        return f"tap,id=net,ifname={_word(self.interface)},script=no,downscript=no"


Network = UserNet | Tap
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Hardware:
    """What the PC is made of; `clock` is what its battery-backed clock says at power-on.

    `variables` is the format of the firmware's, `resume` the state it goes on from (`save`). `tpm`
    is the socket of swtpm(8), if it has a TPM; with `usb` it has ports for `plug_in`. `nvme` is a
    second disk, behind a controller of its own.
    """

    memory_mb: int = 2048
    sector_bytes: int = 512
    clock: datetime | None = None
    variables: str = "raw"
    resume: str = ""
    tpm: Path | None = None
    usb: bool = False
    nvme: Path | None = None


def accelerator(environment: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """Return QEMU's words for the accelerator that `ALLERAC_ACCEL` names, emulation by default."""
    name = environment.get("ALLERAC_ACCEL") or "tcg"
    if name not in ACCELERATORS:
        raise ImageError(f"ALLERAC_ACCEL is {name!r}; it can be {' or '.join(ACCELERATORS)}.")
    return ACCELERATORS[name]


def command_line(
    disk: Path,
    network: Network | None,
    hardware: Hardware,
    *,
    program: str = PROGRAM,
    firmware: Path = FIRMWARE,
    monitor: int = 0,
    environment: Mapping[str, str] = os.environ,
) -> list[str]:
    """Return the command of one start. Files named without a folder are in QEMU's own folder.

    `monitor` is the file descriptor of a connected socket that QEMU inherits for QMP.
    """
    sectors = (
        f"logical_block_size={hardware.sector_bytes},physical_block_size={hardware.sector_bytes}"
    )
    code = _word(str(firmware / FIRMWARE_CODE))
    words = [program, "-name", "allerac", "-machine", "q35", *accelerator(environment)]
    words += ["-m", str(hardware.memory_mb), "-nodefaults", "-display", "none", "-vga", "none"]
    words += ["-drive", f"if=pflash,unit=0,format=raw,readonly=on,file={code}"]
    words += ["-drive", f"if=pflash,unit=1,format={hardware.variables},file={FIRMWARE_VARIABLES}"]
    words += ["-drive", f"if=none,id=disk,format={_format(disk)},file={_word(str(disk))}"]
    words += ["-device", f"virtio-blk-pci,drive=disk,bootindex=1,{sectors}"]
    words += ["-device", "virtio-rng-pci"]
    # The kernel for virtual machines has no driver for the chipset's own watchdog.
    words += ["-device", "i6300esb", "-action", "watchdog=reset"]
    words += ["-chardev", "socket,id=serial,path=serial.sock,server=on,wait=off,logfile=serial.log"]
    words += ["-serial", "chardev:serial"]
    words += ["-chardev", f"socket,id=monitor,fd={monitor}", "-mon", "chardev=monitor,mode=control"]
    if network is None:
        words += ["-nic", "none"]
    else:
        words += ["-netdev", network.arguments(), "-device", "virtio-net-pci,netdev=net,romfile="]
    if hardware.clock is not None:
        words += ["-rtc", f"base={hardware.clock:%Y-%m-%dT%H:%M:%S}"]
    if hardware.tpm is not None:
        words += ["-chardev", f"socket,id=swtpm,path={_word(str(hardware.tpm))}"]
        words += ["-tpmdev", "emulator,id=tpm,chardev=swtpm", "-device", "tpm-tis,tpmdev=tpm"]
    if hardware.usb:
        words += ["-device", "qemu-xhci,id=usb"]
    if hardware.nvme is not None:
        file = _word(str(hardware.nvme))
        words += ["-drive", f"if=none,id=second,format={_format(hardware.nvme)},file={file}"]
        words += ["-device", f"nvme,id={NVME},drive=second,serial=SECOND"]
    if hardware.resume:
        words += ["-loadvm", hardware.resume]
    return words


class Emulator:
    """One PC. `folder` keeps what belongs to its case: firmware variables, serial log, QEMU's log.

    Leaving the context, or `kill`, cuts the power.
    """

    def __init__(self, folder: Path, *, program: str = PROGRAM, firmware: Path = FIRMWARE) -> None:
        self.folder = folder
        self._program = program
        self._firmware = firmware
        self._process: subprocess.Popen[bytes] | None = None
        self._monitor: Monitor | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()

    def start(
        self,
        disk: Path,
        *,
        network: Network | None = None,
        memory_mb: int = 2048,
        sector_bytes: int = 512,
        clock: datetime | None = None,
        prefix: Sequence[str] = (),
        resume: str = "",
        tpm: Path | None = None,
        usb: bool = False,
        nvme: Path | None = None,
    ) -> None:
        """Give it power and return when QEMU runs; `prefix` stands in front of QEMU's command.

        With `resume` it goes on from a state that `save` named, with the disk as it was then.
        Raises `ImageError` when a program or file is missing or QEMU refuses to start.
        """
        if self.running:
            raise ImageError("The emulated machine is running already.")
        self.kill()  # closes what a machine that switched itself off left open
        self._check(disk)
        self.folder.mkdir(parents=True, exist_ok=True)
        variables = self.folder / FIRMWARE_VARIABLES
        if not variables.exists():
            shutil.copyfile(self._firmware / FIRMWARE_VARIABLES, variables)
        (self.folder / "serial.log").write_bytes(b"")
        (self.folder / "serial.sock").unlink(missing_ok=True)
        state = (_format(variables), resume)
        hardware = Hardware(memory_mb, sector_bytes, clock, *state, tpm=tpm, usb=usb, nvme=nvme)
        ours, its = socket.socketpair()
        self._monitor = Monitor(ours)
        try:
            self._run(prefix, disk, network, hardware, its)
            self._monitor.greet(READY_SECONDS)
        except OSError as error:
            self.kill()
            raise ImageError(f"QEMU did not start: {self.complaint or error}") from error

    def _run(
        self,
        prefix: Sequence[str],
        disk: Path,
        network: Network | None,
        hardware: Hardware,
        monitor: socket.socket,
    ) -> None:
        with monitor, (self.folder / "qemu.log").open("wb") as log:
            command = command_line(
                disk.resolve(),
                network,
                hardware,
                program=self._program,
                firmware=self._firmware,
                monitor=monitor.fileno(),
            )
            self._process = subprocess.Popen(
                [*prefix, *command],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=[monitor.fileno()],
                start_new_session=True,  # Ctrl-C is for who started it, not for the machine
            )

    def _check(self, disk: Path) -> None:
        if shutil.which(self._program) is None:
            raise ImageError(f"{self._program} is missing: apt-get install qemu-system-x86")
        for name in (FIRMWARE_CODE, FIRMWARE_VARIABLES):
            if not (self._firmware / name).is_file():
                raise ImageError(f"{self._firmware / name} is missing: apt-get install ovmf")
        if not disk.is_file():
            raise ImageError(f"There is no disk {disk}.")

    @property
    def complaint(self) -> str:
        """What QEMU itself had to say at this start, mostly nothing."""
        return (self.folder / "qemu.log").read_text(errors="replace").strip()

    @property
    def running(self) -> bool:
        """Whether it has power."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """QEMU's process id."""
        if self._process is None:
            raise ImageError("The emulated machine was never started.")
        return self._process.pid

    @property
    def cpu_seconds(self) -> float:
        """Processor time that this start has taken: what a busy host does not falsify."""
        after_name = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        ticks = int(after_name[11]) + int(after_name[12])  # utime and stime, proc(5)
        return ticks / os.sysconf("SC_CLK_TCK")

    @property
    def serial(self) -> str:
        """What the serial console has said since this start, without control sequences."""
        path = self.folder / "serial.log"
        return ESCAPES.sub("", path.read_text(errors="replace")) if path.is_file() else ""

    def wait_for_serial(
        self, pattern: str | re.Pattern[str], seconds: float, *, after: int = 0
    ) -> re.Match[str]:
        """Return the first match in `serial` from `after` on.

        Raises `ImageError` when the machine ends or the time is up, with the console's last lines.
        """
        compiled = re.compile(pattern)

        def found() -> re.Match[str] | None:
            return compiled.search(self.serial, after)

        return self._wait(found, seconds, f"the serial console to say {compiled.pattern!r}")

    def wait_ended(self, seconds: float) -> None:
        """Wait until it has switched itself off; raises `ImageError` when it does not."""
        self._wait(lambda: not self.running, seconds, "it to switch itself off")

    def _wait(self, look: Callable[[], Found | None], seconds: float, what: str) -> Found:
        deadline = time.monotonic() + seconds
        while True:
            running = self.running  # asked first: what it said last is looked at once more
            if found := look():
                return found
            if not running:
                raise ImageError(
                    f"The machine ended while waiting for {what}.\n{self.complaint}\n{self._last()}"
                )
            if time.monotonic() > deadline:
                raise ImageError(f"Waited {seconds:.0f} s for {what}.\n{self._last()}")
            time.sleep(POLL_SECONDS)

    def _last(self) -> str:
        return "\n".join(self.serial.splitlines()[-30:])

    def power_button(self) -> None:
        """Press the power button: the system shuts down in order."""
        if self._monitor is None or not self.running:
            raise ImageError("The emulated machine has no power.")
        self._monitor.execute("system_powerdown")

    def plug_in(self, drive: Path, name: str) -> None:
        """Plug a USB drive in, which is called `name` from now on; it needs `usb` ports.

        Raises `ImageError` without power, OSError when QEMU does not take it.
        """
        if self._monitor is None or not self.running:
            raise ImageError("The emulated machine has no power.")
        file = {"driver": "file", "filename": str(drive.resolve())}
        media: dict[str, Any] = {"driver": "raw", "node-name": name, "file": file}
        self._monitor.execute("blockdev-add", **media)
        stick: dict[str, Any] = {"driver": "usb-storage", "bus": "usb.0", "removable": True}
        self._monitor.execute("device_add", **stick, drive=name, id=f"{name}-plug")

    def warn(self, warning: int) -> None:
        """Have the second disk's SMART give this critical warning from now on.

        `warning` is a set of bits: NVM Express base specification, 5.16.1.3. Raises `ImageError`
        without power, OSError when QEMU does not take it.
        """
        if self._monitor is None or not self.running:
            raise ImageError("The emulated machine has no power.")
        place: dict[str, Any] = {"path": f"/machine/peripheral/{NVME}"}
        self._monitor.execute("qom-set", **place, property="smart_critical_warning", value=warning)

    def save(self, name: str) -> None:
        """Keep memory, devices and disk as they are now, in the disk's file.

        Disk and firmware variables have to be qcow2. Raises `ImageError` when QEMU cannot.
        """
        if self._monitor is None or not self.running:
            raise ImageError("The emulated machine has no power.")
        command = f"savevm {name}"
        said = self._monitor.execute(
            "human-monitor-command", SAVE_SECONDS, **{"command-line": command}
        )
        if said:
            raise ImageError(f"QEMU did not save its state: {said}")

    def kill(self) -> None:
        """Cut the power. QEMU has no chance to finish a write; a second time nothing happens."""
        if self._process is not None:
            if self._process.poll() is None:
                self._process.send_signal(signal.SIGKILL)
            self._process.wait()
        if self._monitor is not None:
            self._monitor.close()
            self._monitor = None


def _word(text: str) -> str:
    """Return `text` as a value in QEMU's option lists, where a comma is written twice."""
    return text.replace(",", ",,")


def _format(disk: Path) -> str:
    with disk.open("rb") as file:
        return "qcow2" if file.read(4) == b"QFI\xfb" else "raw"
