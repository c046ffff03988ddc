"""One small image for all tests of the factory that do not change it."""

from pathlib import Path

import pytest

from tests.made_once import made_once
from tests.network.conftest import lan

from .small_image import SmallImage, make_small_image
from .workshop import workshop

__all__ = ["lan", "workshop"]


@pytest.fixture(scope="session")
def small_image(tmp_path_factory: pytest.TempPathFactory) -> SmallImage:
    """An image that nobody changes."""
    return SmallImage.in_folder(made_once(tmp_path_factory, "small-image", make_small_image))


@pytest.fixture
def own_image(tmp_path: Path, small_image: SmallImage) -> SmallImage:
    """An image for a test that changes it."""
    return small_image.copy(tmp_path / "own-image")
