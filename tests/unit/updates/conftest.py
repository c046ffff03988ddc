"""Keys are made once; each test has its own repository, server and memory of a box."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from allerac_release.new_keys import NewKeys, make_keys
from allerac_release.passphrases import Passphrases
from allerac_release.repository import utc_now

from .hostile_server import HostileServer, serving
from .household import Household, offer_of, open_household
from .publisher import Publisher


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Development keys of a publisher."""
    folder = tmp_path_factory.mktemp("release") / "keys"
    make_keys(NewKeys(folder, development=True), Passphrases(), utc_now())
    return folder


@pytest.fixture
def publisher(tmp_path: Path, keys: Path) -> Publisher:
    """A publisher that has offered nothing yet."""
    return Publisher(tmp_path / "repository", keys)


@pytest.fixture
def server(publisher: Publisher) -> Iterator[HostileServer]:
    """A server of what the publisher publishes."""
    with serving(publisher.folder) as server:
        yield server


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[Household]:
    """A claimed box of version 1.0.0, for which there is 1.1.0."""
    async with open_household(tmp_path, offer_of("1.1.0")) as home:
        yield home
