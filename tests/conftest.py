"""How `make test` is spread over workers, and which tests begin."""

import gc
import os
import shutil
from pathlib import Path

import psutil
import pytest
from hypothesis import settings
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

from tests.in_memory import place_for_files
from tests.made_once import shared_folder

TESTS = Path(__file__).parent

settings.register_profile("allerac", deadline=None)
settings.load_profile("allerac")  # no example fails by the clock of a machine that others use too

SLOWEST = TESTS.joinpath("slowest.txt").read_text().split()
"""The files that take longest, the longest first. They begin, so that no worker is left alone with
one at the end."""


class SlowestFirst(LoadFileScheduling):  # type: ignore[misc]  # the package ships no types
    """Keeps a file's tests on one worker, and lets nothing slow wait behind something slow."""

    def _assign_work_unit(self, node: WorkerController) -> None:
        """Give a worker its next tests; behind something slow the quickest, for they wait for it.

        A worker is told what comes next before it runs its last two tests, which may be slow.
        """
        if any(file in SLOWEST for file in self._unfinished(node)):
            self.workqueue.move_to_end(next(reversed(self.workqueue)), last=False)
        super()._assign_work_unit(node)

    def _unfinished(self, node: WorkerController) -> list[str]:
        given = self.assigned_work[node]
        return [file for file, tests in given.items() if not all(tests.values())]


os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(place_for_files()))

gc.disable()
"""Until everything is collected, for what that makes stays: looking for garbage in it again and
again takes a third of the time."""


def pytest_collection_finish() -> None:
    """Look for garbage from now on, in what the tests make."""
    gc.freeze()
    gc.enable()


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling:
    """Take ours in place of the one that `--dist` names."""
    return SlowestFirst(config, log)


def pytest_xdist_auto_num_workers() -> int:
    """Three for each processor: half of the time tests wait for something."""
    return (psutil.cpu_count() or 1) * 3


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, then with what is marked slow; the quick ones fill the end."""
    files = {item: item.nodeid.split("::", 1)[0] for item in items}
    slow = {files[item] for item in items if item.get_closest_marker("slow")}

    def turn(item: pytest.Item) -> tuple[int, bool]:
        file = files[item]
        place = SLOWEST.index(file) if file in SLOWEST else len(SLOWEST)
        return place, file not in slow

    items.sort(key=turn)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Remove what the workers had together: it takes gigabytes."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        factory: pytest.TempPathFactory = session.config._tmp_path_factory  # type: ignore[attr-defined]  # has no public name
        shutil.rmtree(shared_folder(factory.getbasetemp()))
