"""Which tests share a worker when `make test` runs on several."""

from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

TESTS = Path(__file__).parent

SHARED = ("image", "provisioning")
"""Folders whose tests share something that takes minutes to make; first, so that none is left
alone with it at the end."""


class ByWhatIsShared(LoadScopeScheduling):  # type: ignore[misc]  # the package ships no types
    """Keeps a file's tests on one worker, and a whole folder's where what they share is dear."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::", 1)[0]
        folder = file.split("/")[1]
        return folder if folder in SHARED else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """Take ours in place of the one that `--dist` names."""
    return ByWhatIsShared(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the folders that take longest."""
    items.sort(key=lambda item: item.path.relative_to(TESTS).parts[0] not in SHARED)
