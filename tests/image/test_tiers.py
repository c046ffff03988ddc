"""The images of the tiers that are sold: what each one's profile asks for is in them."""

import fnmatch
import re
import subprocess
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from allerac_image.plan import IMAGE, PROFILES
from allerac_image.tier import Tier, known_tiers, load_tier
from bootstrap.engine import build_engine_wheel
from tests.image.conftest import BUILD_SECONDS, BuiltImage, build_image
from tests.image.offline_disk import partition

pytestmark = [pytest.mark.matrix, pytest.mark.timeout(BUILD_SECONDS)]

TIERS: Final = [
    name
    for name in known_tiers(PROFILES)
    if not load_tier(name, PROFILES).profile["recognise"]["virtual"]
]
LARGEST_BUNDLE: Final = 400_000_000
"""Without models, of a tier without Wi-Fi."""


@dataclass(frozen=True, slots=True)
class TierImage:
    """A built image, with the files of its slots taken apart."""

    tier: Tier
    image: BuiltImage
    root: Path
    boot: Path

    @property
    def wanted(self) -> dict[str, Any]:
        """What the profile says of the image."""
        return dict(self.tier.image)

    def unit(self, name: str) -> str:
        """Return a unit of ours."""
        return (self.root / "etc/systemd/system" / name).read_text()


def _run(*command: str | Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module", params=TIERS)
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> TierImage:
    """Build a tier's image, as one command does."""
    tier = load_tier(request.param, PROFILES)
    folder = tmp_path_factory.mktemp(tier.id)
    image = build_image(folder / "out", tier.id)
    disk = image.file(".img")
    root, boot = folder / "root", folder / "boot"
    _run("/usr/bin/fsck.erofs", f"--extract={root}", partition(disk, "root-A", folder / "root-A"))
    packed = partition(disk, "boot-A", folder / "boot-A")
    _run("/usr/bin/unsquashfs", "-quiet", "-no-progress", "-d", boot, packed)
    disk.unlink()
    return TierImage(tier, image, root, boot)


def test_the_firmware_is_what_the_profile_keeps(built: TierImage) -> None:
    folder = built.root / "usr/lib/firmware"
    files = [str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()]
    patterns = built.wanted["firmware"]["keep"]
    left = [name for name in files if not any(fnmatch.fnmatch(name, one) for one in patterns)]
    assert left == []
    assert [one for one in patterns if not fnmatch.filter(files, one)] == []


def test_the_kernel_is_the_profiles_and_gets_its_words(built: TierImage) -> None:
    (modules,) = (built.root / "usr/lib/modules").iterdir()
    assert ("cloud" in modules.name) == ("cloud" in built.wanted["kernel"])
    words = (built.boot / "slot.cfg").read_text().replace('"', " ").split()
    common = re.findall(r"^  - (\S+)", (IMAGE / "kernel.yaml").read_text(), re.MULTILINE)
    for word in (*common, *built.wanted["kernel_parameters"]):
        assert word in words, word


def test_the_kernel_has_a_driver_for_the_watchdog_of_the_tiers_chipset(built: TierImage) -> None:
    driver = (built.root / "etc/modules-load.d/allerac-watchdog.conf").read_text().strip()
    assert driver == "iTCO_wdt"
    assert list(built.root.glob(f"usr/lib/modules/*/kernel/drivers/watchdog/{driver}.ko*"))


def test_services_have_the_limits_of_the_profile(built: TierImage) -> None:
    services = built.wanted["services"]
    for unit, name in (("allerac.service", "runtime"), ("allerac-engine@.service", "engine")):
        limits = services[name]
        assert f"MemoryMax={limits['memory_max_bytes']}\n" in built.unit(unit)
        assert f"TasksMax={limits['tasks_max']}\n" in built.unit(unit)


def test_the_engine_is_compiled_for_the_tiers_processors(built: TierImage) -> None:
    build = built.tier.profile["engine"]["build"]
    with zipfile.ZipFile(build_engine_wheel(build["variant"], build["cmake"])) as wheel:
        (library,) = [name for name in wheel.namelist() if name.endswith("/libggml-cpu.so")]
        compiled = wheel.read(library)
    (installed,) = built.root.glob("opt/allerac/venv/lib/python3*/site-packages/**/libggml-cpu.so")
    assert installed.read_bytes() == compiled


def test_the_bundle_is_small_enough_to_be_fetched_in_a_night(built: TierImage) -> None:
    has_wifi = any("iwlwifi" in name for name in built.wanted["firmware"]["keep"])
    if not has_wifi:
        assert built.image.file(".raucb").stat().st_size <= LARGEST_BUNDLE
