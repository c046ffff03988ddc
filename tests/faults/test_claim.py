"""One owner, whatever happens: parallel claims, and a kill between any two steps."""

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import func, select

from allerac.storage import Database
from allerac.storage.tables import box, household, person
from tests.faults.claiming import NAMES, take_step, wizard_over

ROUNDS = 200
WORKERS = 4
ATTEMPTS = 25  # in each worker: 100 at once in every round


async def _prepared(folder: Path) -> str:
    """Make a box that has everything but its owner; returns the token that may finish."""
    database = Database(folder / "allerac.sqlite")
    await database.open()
    wizard = wizard_over(database, folder)
    await wizard.start()
    token: str | None = None
    for step in NAMES[:-1]:
        token = await take_step(wizard, step, token)
    await database.close()
    assert token is not None
    return token


async def _owners(folder: Path) -> tuple[int, int, bool]:
    """Return how many households and owners there are, and whether the box is claimed."""
    database = Database(folder / "allerac.sqlite")
    await database.open()
    try:
        return await database.read(
            lambda connection: (
                connection.scalar(select(func.count()).select_from(household)) or 0,
                connection.scalar(
                    select(func.count()).select_from(person).where(person.c.role == "owner")
                )
                or 0,
                connection.scalar(select(box.c.claimed_at)) is not None,
            )
        )
    finally:
        await database.close()


def _walk_and_kill(folder: Path, killed_after: int) -> str | None:
    """Let a process walk the wizard and kill it once that step is acknowledged."""
    command = [sys.executable, "-m", "tests.faults.claiming", "walk", str(folder)]
    walker = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    token: str | None = None
    assert walker.stdout is not None
    for _ in range(killed_after + 1):
        answer = walker.stdout.readline().split()
        token = None if answer[1] == "-" else answer[1]
    walker.send_signal(signal.SIGKILL)
    walker.communicate()
    return token


@contextmanager
def _workers() -> Iterator[list["subprocess.Popen[str]"]]:
    command = [sys.executable, "-m", "tests.faults.claiming", "race"]
    workers = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(WORKERS)
    ]
    try:
        yield workers
    finally:
        for worker in workers:
            worker.kill()
            worker.communicate()


@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_a_hundred_parallel_claims_make_one_owner_in_each_of_200_rounds(
    tmp_path: Path,
) -> None:
    template = tmp_path / "template"
    template.mkdir()
    token = await _prepared(template)
    with _workers() as workers:
        for number in range(ROUNDS):
            folder = tmp_path / f"round-{number}"
            shutil.copytree(template, folder)
            for worker in workers:
                assert worker.stdin is not None
                worker.stdin.write(f"{folder} {token} {ATTEMPTS}\n")
                worker.stdin.flush()
            answers = [
                ((worker.stdout and worker.stdout.readline()) or "").split() for worker in workers
            ]
            won = sum(int(answer[0]) for answer in answers)
            lost = sum(int(answer[1]) for answer in answers)
            assert (won, lost) == (1, WORKERS * ATTEMPTS - 1), f"round {number}: {answers}"
            assert await _owners(folder) == (1, 1, True)
            shutil.rmtree(folder)


@pytest.mark.slow
@pytest.mark.parametrize("killed_after", range(len(NAMES)), ids=NAMES)
async def test_killed_between_two_steps_the_wizard_goes_on_or_the_box_is_whole(
    tmp_path: Path, killed_after: int
) -> None:
    token = _walk_and_kill(tmp_path, killed_after)
    households, owners, claimed = await _owners(tmp_path)
    assert households == owners == int(claimed)
    database = Database(tmp_path / "allerac.sqlite")
    await database.open()
    wizard = wizard_over(database, tmp_path)
    await wizard.start()
    if not claimed:
        for step in NAMES[killed_after + 1 :]:
            token = await take_step(wizard, step, token)
    assert await wizard.is_claimed()
    assert await database.check_integrity() == []
    await database.close()
    assert await _owners(tmp_path) == (1, 1, True)
