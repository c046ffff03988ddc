"""An emulated PC around the fake QEMU."""

import json
from pathlib import Path
from typing import Any

from allerac_image.emulator import FIRMWARE_CODE, FIRMWARE_VARIABLES, Emulator

FAKE = Path(__file__).parent / "fake_qemu.py"


def fake_program(folder: Path, **script: Any) -> str:
    """Put the fake into `folder` with what it shall do; return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "qemu"
    program.write_bytes(FAKE.read_bytes())
    program.chmod(0o755)
    (folder / "script.json").write_text(json.dumps(script))
    return str(program)


def fake_firmware(folder: Path) -> Path:
    """Put what stands for OVMF into `folder` and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FIRMWARE_CODE).write_text("code")
    (folder / FIRMWARE_VARIABLES).write_text("as delivered")
    return folder


def fake_machine(bench: Path, case: Path, **script: Any) -> Emulator:
    """Return a PC with its files in `case`, around a fake that lies in `bench`."""
    program = fake_program(bench, **script)
    return Emulator(case, program=program, firmware=fake_firmware(bench))
