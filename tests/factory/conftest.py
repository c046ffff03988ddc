"""One small image for all tests of the factory that do not change it."""

from pathlib import Path

import pytest

from tests.network.conftest import lan

from .small_image import SmallImage, make_small_image
from .workshop import workshop

__all__ = ["lan", "workshop"]


@pytest.fixture(scope="session")
def small_image(tmp_path_factory: pytest.TempPathFactory) -> SmallImage:
    """An image that nobody changes."""
    return make_small_image(tmp_path_factory.mktemp("image"))


@pytest.fixture
def own_image(tmp_path: Path) -> SmallImage:
    """An image for a test that changes it."""
    return make_small_image(tmp_path / "own-image")
