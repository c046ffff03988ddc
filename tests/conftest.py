"""Which tests share a worker when `make test` runs on several."""

from pathlib import Path

import pytest

TESTS = Path(__file__).parent

SHARED = ("image", "provisioning")
"""Folders whose tests share something that takes minutes to make; first, so that none is left
alone with it at the end."""


@pytest.hookimpl(tryfirst=True)  # the workers read the marks in the same hook
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep a file's tests on one worker, and a whole folder's where what they share is dear."""
    for item in items:
        folder, *deeper = item.path.relative_to(TESTS).parts
        group = folder if folder in SHARED else "/".join((folder, *deeper))
        item.add_marker(pytest.mark.xdist_group(group))
    items.sort(key=lambda item: item.path.relative_to(TESTS).parts[0] not in SHARED)
