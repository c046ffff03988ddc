"""Which tests share a worker when `make test` runs on several, and which begin."""

import re
from functools import cache
from pathlib import Path

import psutil
import pytest
from hypothesis import settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

TESTS = Path(__file__).parent

settings.register_profile("allerac", deadline=None)
settings.load_profile("allerac")  # no example fails by the clock of a machine that others use too

SHARED = {"image": r"\bvm_image\b", "provisioning": r"\b(provisioned|root|image_root)\b"}
"""Folders with something that takes minutes to make, and how a file that shares it names it."""

SLOWEST = TESTS.joinpath("slowest.txt").read_text().split()
"""What takes longest, the longest first: files, and folders that are shared. They begin, so that
no worker is left alone with one at the end."""


@cache
def scope_of(file: str) -> str:
    """Return what shares a worker with `file`, given from the repository on."""
    folder = file.split("/")[1]
    asks = folder in SHARED and re.search(SHARED[folder], (TESTS.parent / file).read_text("utf-8"))
    return folder if asks else file


class ByWhatIsShared(LoadScopeScheduling):  # type: ignore[misc]  # the package ships no types
    """Keeps a file's tests on one worker, and those of several files that share what is dear."""

    def _split_scope(self, nodeid: str) -> str:
        return scope_of(nodeid.split("::", 1)[0])

    def _assign_work_unit(self, node: WorkerController) -> None:
        """Give a worker its next tests; behind something slow the quickest, for they wait for it.

        A worker is told what comes next before it runs its last two tests, which may be slow.
        """
        if any(scope in SLOWEST for scope in self._unfinished(node)):
            self.workqueue.move_to_end(next(reversed(self.workqueue)), last=False)
        super()._assign_work_unit(node)

    def _unfinished(self, node: WorkerController) -> list[str]:
        given = self.assigned_work[node]
        return [scope for scope, tests in given.items() if not all(tests.values())]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """Take ours in place of the one that `--dist` names."""
    return ByWhatIsShared(config, log)


def pytest_xdist_auto_num_workers() -> int:
    """As many workers as there are processors: one more starves the emulated box of its own."""
    return psutil.cpu_count() or 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, then with what is marked slow; the quick ones fill the end."""
    scopes = {item: scope_of(item.nodeid.split("::", 1)[0]) for item in items}
    slow = {scopes[item] for item in items if item.get_closest_marker("slow")}

    def turn(item: pytest.Item) -> tuple[int, bool]:
        scope = scopes[item]
        place = SLOWEST.index(scope) if scope in SLOWEST else len(SLOWEST)
        return place, scope not in slow

    items.sort(key=turn)
