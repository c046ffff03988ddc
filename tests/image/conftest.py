"""The image of the `vm` tier, made once for all tests that look at it or boot it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.image.emulated_lan import UPDATES_FROM, emulated_lan
from tests.image.kept_image import kept_image

REPOSITORY = Path(__file__).parents[2]
BUILD_SECONDS = 3600
"""Ten times what a build takes on two quiet cores with nothing cached."""


@dataclass(frozen=True, slots=True)
class BuiltImage:
    """What `make image TIER=vm` left in its folder."""

    folder: Path

    def file(self, suffix: str) -> Path:
        """Return the one file whose name ends so."""
        (found,) = self.folder.glob(f"*{suffix}")
        return found


def build_image(
    folder: Path,
    tier: str = "vm",
    sector_bytes: int = 512,
    source: Path = REPOSITORY,
    python: str = sys.executable,
    more: Sequence[str] = (),
) -> BuiltImage:
    """Do what `make image` does in `source` with `more`, and keep the uncompressed disk."""
    command = [python, "-m", "allerac_image", "build", "--tier", tier, "--keep-raw"]
    command += ["--sector-bytes", str(sector_bytes), "--updates-from", UPDATES_FROM]
    built = subprocess.run(
        [*command, "--out", str(folder), *more],
        cwd=source,
        capture_output=True,
        text=True,
        check=False,
        timeout=BUILD_SECONDS,
    )
    assert built.returncode == 0, built.stdout[-4000:] + built.stderr[-4000:]
    return BuiltImage(folder)


@pytest.fixture(scope="session")
def vm_image() -> BuiltImage:
    """Build it, take the one that is kept, or the folder that `ALLERAC_TEST_IMAGE` names."""
    given = os.environ.get("ALLERAC_TEST_IMAGE")
    return BuiltImage(Path(given) if given else kept_image(build_image, UPDATES_FROM))


@pytest.fixture(scope="session")
def may_emulate_networks() -> None:
    """Skip, with the reason, where namespaces and taps are not allowed; CI has to allow them."""
    leave = pytest.fail if os.environ.get("CI") else pytest.skip
    if shutil.which("ip") is None:
        leave("needs `ip`: apt install iproute2")
    try:
        with emulated_lan():
            pass
    except subprocess.CalledProcessError as error:
        leave(f"network namespaces with taps are not allowed: {error.stderr.decode()}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the test that happens to build the image the time for it."""
    for item in items:
        if isinstance(item, pytest.Function) and "vm_image" in item.fixturenames:
            item.add_marker(pytest.mark.timeout(BUILD_SECONDS))
            item.add_marker(pytest.mark.slow)
