"""The certificate goes to the station's USB drive, which is writable for that moment alone.

Everybody reads drives from mounts that cannot be written (`90-allerac-drive.rules`). This process
has mounts of its own. The file system below both is one, and read-only: it becomes writable here
once the drive has asked, and nowhere else, since the other mount keeps its own flag (mount(2)).
"""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from allerac.appliance.files import replace_file
from allerac.errors import Unavailable

from .keeper import NAME

FOR_STATION: Final = "allerac-certificates"
"""A folder with this name at the top of a USB drive asks for the certificate."""

KINDS: Final = "vfat,exfat,ext4"
OPTIONS: Final = "nosuid,nodev,noexec,nosymfollow"
MOUNT_SECONDS: Final = 30.0
READABLE: Final = 0o644


def asks(drive: Path) -> bool:
    """Tell whether the drive with this top folder asks for the certificate."""
    folder = drive / FOR_STATION
    return folder.is_dir() and not folder.is_symlink()


def put(drive: Path, serial: str, content: bytes) -> Path:
    """Write the certificate of `serial` to a drive that asks, whole or not at all.

    Returns where. Raises OSError.
    """
    path = drive / FOR_STATION / f"{serial}-{NAME}"
    replace_file(path, content, READABLE)
    return path


def hand_over(device: Path, serial: str, content: bytes) -> Path | None:
    """Put the certificate on the drive in `device`; return where on it, None if it does not ask.

    Needs mounts of its own and the right to make them. Raises `Unavailable`.
    """
    with _mounted(device) as drive:
        if not asks(drive):
            return None
        try:
            with _writable(drive):
                return put(drive, serial, content).relative_to(drive)
        except OSError as error:
            raise Unavailable(f"The drive failed: {error.strerror}.") from error


@contextmanager
def _mounted(device: Path) -> Iterator[Path]:
    with TemporaryDirectory(prefix="allerac-drive-") as name:
        _do("mount", "--types", KINDS, "--options", f"ro,{OPTIONS}", str(device), name)
        try:
            yield Path(name)
        finally:
            _do("umount", name)


@contextmanager
def _writable(drive: Path) -> Iterator[None]:
    _do("mount", "--options", f"remount,rw,{OPTIONS}", str(drive))
    try:
        yield
    finally:
        _do("mount", "--options", f"remount,ro,{OPTIONS}", str(drive))


def _do(*words: str) -> None:
    try:
        subprocess.run(words, check=True, capture_output=True, text=True, timeout=MOUNT_SECONDS)
    except subprocess.CalledProcessError as error:
        raise Unavailable(f"The drive cannot be used: {error.stderr.strip()}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable("The drive does not answer.") from error
