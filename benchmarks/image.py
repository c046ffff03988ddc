"""What an image weighs, and what its first boot costs in the emulator."""

import subprocess
import tempfile
import time
from http import HTTPStatus
from pathlib import Path

from allerac_image.plan import PROFILES
from allerac_image.summary import add_first_start
from allerac_image.tier import known_tiers
from tests.image.booted_box import flashed_unit

OUT = Path(__file__).resolve().parents[1] / "out"
Row = tuple[str, str, str]
LOOK_SECONDS = 0.2


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
    """Start a unit with what `packed` holds and wait for its wizard; the summary is told too."""
    with tempfile.TemporaryDirectory() as folder:
        image = Path(folder) / "image.img"
        unpack = ["zstd", "-d", "--sparse", "--quiet", str(packed), "-o", str(image)]
        subprocess.run(unpack, check=True, timeout=600)
        seconds, used = _boot(image, Path(folder))
    figures = {"cpu_seconds_to_wizard": round(seconds, 1), "used_memory_bytes": used}
    add_first_start(packed.parent, figures)
    return [
        ("vm: power to wizard, emulated, CPU", f"{seconds:.0f} s", "-"),
        ("vm: memory in use, demonstration model", f"{used / 1e6:.0f} MB", "600 MB"),
    ]


def _boot(image: Path, folder: Path) -> tuple[float, int]:
    """Return the processor's seconds from power to wizard, and the bytes in use with a model."""
    with flashed_unit(image, folder) as unit:
        unit.switch_on()
        unit.find()
        while unit.page("/", unit.address)["status"] != HTTPStatus.OK:
            time.sleep(LOOK_SECONDS)  # announced a moment before it answers
        seconds = unit.emulator.cpu_seconds
        unit.claim(unit.claim_code())
        unit.wait_ready()
        memory = unit.call("GET", "/box")["memory"]
    return seconds, memory["total_bytes"] - memory["available_bytes"]


def _megabytes(folder: Path, suffix: str) -> str:
    (file,) = folder.glob(f"*{suffix}")
    return f"{file.stat().st_size / 1e6:.0f} MB"
