"""A whole system without a machine: the target's systemd as process 1 of its own namespaces.

As a program, `own_system.py ROOT SCRATCH UNITS [SHARED ...]` becomes that system. It may change its
own copy of the root, folders that are shared with it, and nothing else of the machine it runs on:
kernel settings and devices are read-only to it, and the capabilities that reach beyond namespaces
are gone.
"""

import fcntl
import os
import shutil
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

TIOCGPTN = 0x80045430
TIOCSPTLCK = 0x40045431
"""asm-generic/ioctls.h"""

START_SECONDS = 300.0
POLL_SECONDS = 0.2
NAMESPACES = ("--mount", "--pid", "--net", "--uts", "--ipc", "--cgroup", "--propagation", "private")
NOT_OURS = "-sys_time,-sys_module,-sys_boot,-sys_rawio,-syslog,-wake_alarm"
NODES = ("null", "zero", "full", "random", "urandom", "tty")
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin", "LANG": "C.UTF-8", "container": "allerac-test"}
COMMAND_LINE = "rauc.slot=A"
SCREEN = "screen"
"""File in the scratch folder: all that was written to /dev/tty1."""


def _do(*words: str | Path) -> None:
    subprocess.run(words, check=True, timeout=60)


def become(root: Path, scratch: Path, units: Path, *shared: Path) -> None:
    """Replace this process, the first of its namespaces, by the system's."""
    _do("mount", "-t", "tmpfs", "tmpfs", scratch)
    new, upper, work = (scratch / name for name in ("new", "upper", "work"))
    for folder in (new, upper, work):
        folder.mkdir()
    layers = f"lowerdir={root},upperdir={upper},workdir={work}"
    _do("mount", "-t", "overlay", "overlay", "-o", layers, new)
    (new / "etc/fstab").write_text("")  # no disks: what is on them is part of this copy
    (new / "efi/EFI/BOOT").mkdir(parents=True)
    _do("mount", "-t", "proc", "proc", new / "proc")
    (scratch / "cmdline").write_text(f"{COMMAND_LINE}\n")
    _do("mount", "--bind", scratch / "cmdline", new / "proc/cmdline")
    _do("mount", "--bind", new / "proc/sys", new / "proc/sys")
    _do("mount", "-o", "remount,bind,ro", new / "proc/sys")
    _do("mount", "--bind", new / "proc/sys/net", new / "proc/sys/net")
    _do("mount", "-o", "remount,bind,rw", new / "proc/sys/net")  # of its own network namespace
    _do("mount", "-t", "sysfs", "-o", "ro", "sysfs", new / "sys")
    _do("mount", "-t", "tmpfs", "tmpfs", new / "sys/fs")
    (new / "sys/fs/cgroup").mkdir()
    _do("mount", "-t", "cgroup2", "cgroup2", new / "sys/fs/cgroup")
    for name in ("run", "tmp"):
        _do("mount", "-t", "tmpfs", "tmpfs", new / name)
    shutil.copytree(units, new / "run/systemd/system", symlinks=True)
    for folder in shared:
        there = new / folder.relative_to("/")
        there.mkdir(parents=True, exist_ok=True)
        _do("mount", "--bind", folder, there)
    _make_devices(new / "dev")
    _plug_in_screen(new / "dev", scratch.with_name(SCREEN))
    (new / "old").mkdir()
    os.chdir(new)
    _do("pivot_root", ".", "old")
    _do("umount", "-l", "/old")
    _do("mount", "--make-rshared", "/")  # as a machine's is: services see drives that come later
    init = ["setpriv", f"--bounding-set={NOT_OURS}", "/usr/lib/systemd/systemd"]
    os.execve("/usr/bin/setpriv", init, ENVIRONMENT)  # noqa: S606  # becomes it


def _make_devices(dev: Path) -> None:
    _do("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", dev)
    for name in NODES:
        os.mknod(dev / name, 0o020666, Path("/dev", name).stat().st_rdev)
        (dev / name).chmod(0o666)
    for name in ("pts", "shm"):
        (dev / name).mkdir()
    options = "newinstance,ptmxmode=0666,gid=5,mode=620"  # as systemd would mount it
    _do("mount", "-t", "devpts", "-o", options, "devpts", dev / "pts")
    (dev / "ptmx").symlink_to("pts/ptmx")
    (dev / "fd").symlink_to("/proc/self/fd")


def _plug_in_screen(dev: Path, recording: Path) -> None:
    """Make /dev/tty1, a terminal of which a process of its own records what is written; pty(7)."""
    screen = os.open(dev / "ptmx", os.O_RDWR | os.O_NOCTTY)
    fcntl.ioctl(screen, TIOCSPTLCK, struct.pack("i", 0))
    (number,) = struct.unpack("i", fcntl.ioctl(screen, TIOCGPTN, bytes(4)))
    (dev / "tty1").touch()
    _do("mount", "--bind", dev / "pts" / str(number), dev / "tty1")
    keep = os.open(dev / "tty1", os.O_RDWR | os.O_NOCTTY)  # a terminal nobody has open is hung up
    file = os.open(recording, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    if os.fork() == 0:
        while True:
            os.write(file, os.read(screen, 4096))
    for descriptor in (screen, keep, file):
        os.close(descriptor)


class OwnSystem:
    """The running system; `pid` is its first process as seen from here."""

    def __init__(self, pid: int, screen: Path) -> None:
        self.pid = pid
        self.screen = screen
        self.network = Path(f"/proc/{pid}/ns/net")

    def ask(self, *words: str) -> str:
        """Run a command in it and return what it prints, whatever its status."""
        enter = ["nsenter", f"--target={self.pid}", "--all", "--root", "--wd=/"]
        told = subprocess.run(
            [*enter, *words],
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        return told.stdout + told.stderr

    def wait_for(self, words: tuple[str, ...], answer: str) -> None:
        """Wait until a command prints `answer`."""
        deadline = time.monotonic() + START_SECONDS
        while (said := self.ask(*words).strip()) != answer:
            assert time.monotonic() < deadline, f"{words}: {said}\n{self.ask('journalctl', '-b')}"
            time.sleep(POLL_SECONDS)

    def property(self, unit: str, name: str) -> str:
        return self.ask("systemctl", "show", "--value", f"--property={name}", unit).strip()


@contextmanager
def running_system(
    root: Path, scratch: Path, units: Path | None = None, shared: Sequence[Path] = ()
) -> Iterator[OwnSystem]:
    """Start it in a control group of its own; everything ends with it.

    It starts with its own units and those in the folder `units`, and has the folders `shared` of
    the machine it runs on at their own places.
    """
    groups = scratch / "groups"
    for folder in (groups, scratch / "system", scratch / "none"):
        folder.mkdir()
    _do("mount", "-t", "cgroup2", "cgroup2", groups)
    group = groups / f"allerac-test-{os.getpid()}"
    group.mkdir()
    enter = f'echo $$ > "{group}/cgroup.procs"; exec "$@"'
    since_boot = int(time.clock_gettime(time.CLOCK_BOOTTIME))
    clocks = ["--time", "--boottime", f"-{since_boot}", "--monotonic", f"-{since_boot}"]
    begin = ["unshare", *NAMESPACES, *clocks, "--fork", "--kill-child"]
    command = [*begin, sys.executable, __file__]
    holder = subprocess.Popen(
        [
            "/bin/sh",
            "-c",
            enter,
            "sh",
            *command,
            root,
            scratch / "system",
            units or scratch / "none",
            *shared,
        ],
        stdin=subprocess.DEVNULL,
    )
    try:
        yield OwnSystem(_first_process(holder), scratch / SCREEN)
    finally:
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        _remove(group)
        _do("umount", groups)


def _first_process(holder: "subprocess.Popen[bytes]") -> int:
    children = Path(f"/proc/{holder.pid}/task/{holder.pid}/children")
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        assert holder.poll() is None, "the system ended at once"
        for pid in children.read_text().split():
            name = Path(f"/proc/{pid}/comm").read_text().strip()
            if name == "systemd":
                return int(pid)
        time.sleep(POLL_SECONDS)
    raise AssertionError("no system came to be")


def _remove(group: Path) -> None:
    """Remove an empty control group with those below it; the last processes may take a moment."""
    deadline = time.monotonic() + START_SECONDS
    while (group / "cgroup.procs").exists():
        try:
            for folder, _, _ in os.walk(group, topdown=False):
                Path(folder).rmdir()
        except OSError:
            assert time.monotonic() < deadline, f"{group} is still in use"
            time.sleep(POLL_SECONDS)


if __name__ == "__main__":
    become(*map(Path, sys.argv[1:]))
