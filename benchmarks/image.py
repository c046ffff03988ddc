"""What an image weighs, and what its first boot costs in the emulator."""

import subprocess
import tempfile
from pathlib import Path

from allerac_image.plan import PROFILES
from allerac_image.tier import known_tiers
from tests.image.booted_box import flashed_unit

OUT = Path(__file__).resolve().parents[1] / "out"
Row = tuple[str, str, str]


def measure_images() -> list[Row]:
    """Return the sizes of every image that `make image` left, and one boot of the `vm` tier."""
    rows: list[Row] = []
    for tier in known_tiers(PROFILES):
        folder = OUT / tier
        if folder.is_dir():
            rows.append((f"{tier}: image, compressed", _megabytes(folder, ".img.zst"), "-"))
            rows.append((f"{tier}: update bundle", _megabytes(folder, ".raucb"), "400 MB"))
    packed = sorted((OUT / "vm").glob("*.img.zst"))
    return rows + (measure_boot(packed[0]) if packed else [("vm: boot", "no image", "-")])


def measure_boot(packed: Path) -> list[Row]:
    """Start a unit with what `packed` holds and wait for its wizard."""
    with tempfile.TemporaryDirectory() as folder:
        image = Path(folder) / "image.img"
        unpack = ["zstd", "-d", "--sparse", "--quiet", str(packed), "-o", str(image)]
        subprocess.run(unpack, check=True, timeout=600)
        return _boot(image, Path(folder))


def _boot(image: Path, folder: Path) -> list[Row]:
    with flashed_unit(image, folder) as unit:
        unit.switch_on()
        unit.find()
        unit.call("GET", "/status")
        seconds = unit.emulator.cpu_seconds
        unit.claim(unit.claim_code())
        unit.wait_ready()
        memory = unit.call("GET", "/box")["memory"]
        used = memory["total_bytes"] - memory["available_bytes"]
    return [
        ("vm: power to wizard, emulated, CPU", f"{seconds:.0f} s", "-"),
        ("vm: memory in use, demonstration model", f"{used / 1e6:.0f} MB", "600 MB"),
    ]


def _megabytes(folder: Path, suffix: str) -> str:
    (file,) = folder.glob(f"*{suffix}")
    return f"{file.stat().st_size / 1e6:.0f} MB"
