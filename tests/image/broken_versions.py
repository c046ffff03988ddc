"""Next versions that do not work, each in its own way, and what their box has to say of them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.image.successor import Change, change_runtime, write

UNITS: Final = "etc/systemd/system"
PROOF_SECONDS: Final = 480
"""From the boot, instead of the tier's: a healthy start under emulation takes a third of it."""

DEADLINE_SECONDS: Final = 300
"""Of a version that says nothing, which has three tries: by then it serves."""


def proves_itself_sooner(root: Path) -> None:
    """Shorten what is waited for in vain."""
    setting = f"[Service]\nEnvironment=ALLERAC_PROVE_SECONDS={PROOF_SECONDS}\n"
    write(root, f"{UNITS}/allerac-prove.service.d/60-sooner.conf", setting)


def without_network_driver(root: Path) -> None:
    """Forget the driver of the network card."""
    (driver,) = root.glob("usr/lib/modules/*/kernel/drivers/net/virtio_net.ko*")
    driver.unlink()


def with_crashing_runtime(root: Path) -> None:
    """Let the runtime end as soon as it begins."""
    change_runtime(root, "serving.py", "SOCKET_MODE = 0o660", "SOCKET_MODE = 0o660 // 0")


def without_model(root: Path) -> None:
    """Forget the model that the household uses."""
    models = list((root / "opt/allerac/demo_model").glob("*.gguf"))
    assert models
    for model in models:
        model.unlink()


def ten_times_slower(root: Path) -> None:
    """Let the engine have a tenth of a processor."""
    write(root, f"{UNITS}/allerac-engine@.service.d/60-slow.conf", "[Service]\nCPUQuota=10%\n")


def filling_the_disk(root: Path) -> None:
    """Write until 64 MiB are left."""
    write(root, "usr/libexec/allerac/fill", FILL)
    (root / "usr/libexec/allerac/fill").chmod(0o755)
    _at_boot(root, "fill", "After=local-fs.target", "/usr/libexec/allerac/fill")


def panicking(root: Path) -> None:
    """Let the kernel panic before anything is served."""
    _at_boot(root, "panic", EARLY, "/bin/sh -c 'echo c > /proc/sysrq-trigger'", "sysinit.target")


def hanging(root: Path) -> None:
    """Let the service manager fall: it stays where it is and feeds the watchdog no more."""
    _at_boot(root, "hang", EARLY, "/bin/sh -c 'sleep 30; kill -SEGV 1'", "sysinit.target")


def never_proving(root: Path) -> None:
    """Leave out the proof: everything runs, and nobody says that it does."""
    mask = root / f"{UNITS}/allerac-prove.service"
    mask.unlink()
    mask.symlink_to("/dev/null")
    timer = f"{UNITS}/allerac-boot-deadline.timer.d/60-sooner.conf"
    write(root, timer, f"[Timer]\nOnBootSec=\nOnBootSec={DEADLINE_SECONDS}\n")


EARLY: Final = "DefaultDependencies=no\nAfter=local-fs.target"
FILL: Final = """\
#!/bin/sh
free=$(df --output=avail -B1 /data | tail -n 1)
fallocate -l $((free - 67108864)) /data/filled
"""

BROKEN: Final[Mapping[str, tuple[Change, frozenset[str]]]] = {
    "without network driver": (without_network_driver, frozenset({"address_lost"})),
    "crashing runtime": (with_crashing_runtime, frozenset({"sign_in_not_served"})),
    "missing model": (without_model, frozenset({"model_missing", "model_not_loaded"})),
    "ten times slower": (ten_times_slower, frozenset({"too_slow", "no_answer"})),
    "filling the disk": (filling_the_disk, frozenset({"disk_filled"})),
    "kernel panic": (panicking, frozenset({"did_not_start"})),
    "never proves itself": (never_proving, frozenset({"did_not_prove_itself", "did_not_start"})),
    "hang before the gate": (hanging, frozenset({"did_not_start"})),
}
"""What is broken → how, and the names of the reasons that are right for it."""


def _at_boot(
    root: Path, name: str, unit: str, command: str, wanted_by: str = "multi-user.target"
) -> None:
    text = f"[Unit]\n{unit}\n[Service]\nType=oneshot\nExecStart={command}\n"
    write(root, f"{UNITS}/broken-{name}.service", text)
    wish = root / f"{UNITS}/{wanted_by}.wants/broken-{name}.service"
    wish.parent.mkdir(exist_ok=True)
    wish.symlink_to(f"../broken-{name}.service")
