"""The machine's own RAUC as a service on a private bus, with two files for slots."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

SETTINGS = """\
[system]
compatible=allerac-vm
bootloader=noop
bundle-formats=verity
data-directory={folder}/data
mountprefix={folder}/mount
activate-installed=false

[keyring]
path={keyring}
check-purpose=codesign

[slot.rootfs.0]
device={folder}/root-A
type=raw
bootname=A

[slot.rootfs.1]
device={folder}/root-B
type=raw
bootname=B
"""
"""As the image's, but for the boot loader: nothing is ever booted here."""

SLOT_BYTES = 1 << 20


@contextmanager
def real_rauc(folder: Path, address: str, keyring: Path) -> Iterator[Path]:
    """Offer it on the bus at `address`, trusting `keyring`; yield the file of the other slot."""
    program = shutil.which("rauc")
    if program is None:
        pytest.skip("needs `rauc`: apt install rauc")
    for name in ("data", "mount"):
        (folder / name).mkdir()
    for name in ("root-A", "root-B"):
        with (folder / name).open("wb") as slot:
            slot.truncate(SLOT_BYTES)
    settings = folder / "system.conf"
    settings.write_text(SETTINGS.format(folder=folder, keyring=keyring))
    service = subprocess.Popen(
        [program, f"--conf={settings}", "--override-boot-slot=A", "service"],
        env={**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": address},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield folder / "root-B"
    finally:
        service.terminate()
        service.wait(20)
