"""What `make image` and `make vm` need beside Allerac itself: Ansible, and Debian's own tools."""

import sys
from pathlib import Path

from .steps import REPOSITORY, digest, once, run
from .system import Program, prepare_programs

VENV = REPOSITORY / ".venv-image"
REQUIREMENT = REPOSITORY / "requirements" / "image.txt"

EMULATOR = (
    Program("qemu-system-x86_64", "qemu-system-x86"),
    Program("/usr/share/OVMF/OVMF_CODE_4M.fd", "ovmf"),
    Program("zstd", "zstd"),
)
"""What starts an image on this machine."""

STATION = (
    Program("debugfs", "e2fsprogs"),
    Program("lsblk", "util-linux"),
    Program("openssl", "openssl"),
    Program("setpriv", "util-linux"),
    Program("zstd", "zstd"),
)
"""What writes images to drives."""

BUILD_LINE = (
    Program("bmaptool", "bmap-tools"),
    Program("fsck.erofs", "erofs-utils"),
    Program("g++", "g++"),
    Program("grub-mkimage", "grub-common"),
    Program("/usr/lib/grub/x86_64-efi", "grub-efi-amd64-bin"),
    Program("make", "make"),
    Program("mcopy", "mtools"),
    Program("mkfs.erofs", "erofs-utils"),
    Program("mkfs.vfat", "dosfstools"),
    Program("mksquashfs", "squashfs-tools"),
    Program("mmdebstrap", "mmdebstrap"),
    Program("packer", "packer"),
    Program("rauc", "rauc"),
    Program("sfdisk", "fdisk"),
    Program("veritysetup", "cryptsetup-bin"),
    Program("/usr/share/keyrings/debian-archive-trixie-automatic.gpg", "debian-archive-keyring"),
)
"""What makes an image."""


def prepare_image_tools() -> None:
    """Install the programs that make an image, and Ansible."""
    prepare_programs((*BUILD_LINE, *EMULATOR), "the image")
    prepare_ansible()


def prepare_ansible() -> None:
    """Make `.venv-image` with what `requirements/image.txt` locks."""
    version = sys.version.split()[0]
    python = VENV / "bin" / "python"
    once("venv-image", version, "Image tools: Python environment", _make_venv, made=python)
    once(
        "requirements-image",
        digest([REQUIREMENT], version),
        "Image tools: Ansible and its friends",
        lambda: _install(python),
        made=VENV / "bin" / "ansible-playbook",
    )


def prepare_station() -> None:
    """Install what a factory's station needs."""
    prepare_programs(STATION, "the factory")


def prepare_emulator() -> None:
    """Install what starts an image."""
    prepare_programs(EMULATOR, "the emulated machine")


def _make_venv() -> None:
    run([sys.executable, "-m", "venv", "--clear", str(VENV)], log="venv-image")


def _install(python: Path) -> None:
    pip = [str(python), "-m", "pip", "install", "--require-hashes"]
    run([*pip, "-r", str(REQUIREMENT)], log="pip-image")
