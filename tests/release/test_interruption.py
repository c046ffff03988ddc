"""A run that is killed, at whichever point, leaves a repository that boxes believe."""

import itertools
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from allerac_release.cli import main
from allerac_release.files import alone
from allerac_release.new_keys import NewKeys, make_keys
from allerac_release.passphrases import Passphrases
from allerac_release.repository import utc_now
from tests.release.conftest import BundleOf
from tests.release.release_shop import Box, Shop, served

REPOSITORY = Path(__file__).parents[2]
CHANGES = {"os.rename", "os.remove", "os.mkdir"}
FINISHED, REFUSED = 0, 2
ROOM_BYTES = 256
"""Less than any file of the repository needs."""

POLL_SECONDS = 0.01
LEAST_CHANGES = 4
"""Two files are written and put in place by every command."""


def killed_at(number: int, folder: Path, words: list[str]) -> int:
    """Run the tool in a process that is killed before its `number`th change below `folder`.

    Return how the process ended: 0 when it had fewer changes to make.
    """
    child = os.fork()
    if child == 0:
        left = itertools.count(number, -1)

        def count(event: str, arguments: tuple[object, ...]) -> None:
            writes = event == "open" and arguments[1] not in ("r", "rb", None)
            inside = str(arguments[:1]).find(str(folder)) > 0
            if (event in CHANGES or writes) and inside and next(left) == 1:
                os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(count)
        os._exit(main(words))
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.fixture
def experienced(stocked: Shop, tmp_path: Path) -> Box:
    """A box that has seen the repository as it was before."""
    box = Box(tmp_path / "experienced", stocked.keys / "trust" / "root.json", "")
    with served(stocked.repository) as box.address:
        assert len(box.offers()) == 1
    return box


def kept(shop: Shop, name: str) -> Callable[[], None]:
    """Keep repository and keys, and return what brings them back."""
    copies = {shop.repository: shop.folder / f"{name}-repository", shop.keys: shop.folder / name}
    for original, copy in copies.items():
        shutil.copytree(original, copy)

    def restore() -> None:
        for original, copy in copies.items():
            shutil.rmtree(original)
            shutil.copytree(copy, original)

    return restore


def seen_by(box: Box, shop: Shop, folder: Path) -> dict[str, object]:
    """Return what a copy of `box` is told, once every bundle it is offered was fetched."""
    copy = box.copied(folder)
    with served(shop.repository) as copy.address:
        offers = copy.offers()
        for target in offers.values():
            copy.fetch(target)
    return {path: target.custom for path, target in offers.items()}


@dataclass(frozen=True, slots=True)
class Interruption:
    """What a box is told after a run was killed, and how the same run ends when it is repeated."""

    seen: dict[str, object]
    repeated: int


def interruptions(
    shop: Shop, box: Box, folder: Path, words: list[object]
) -> Iterator[Interruption]:
    """Kill `words` at every point at which they can be, then let them end."""
    restore = kept(shop, "kept")
    call = [*map(str, words), *map(str, shop.signing)]
    for number in itertools.count(1):
        restore()
        ended = killed_at(number, shop.folder, call)
        assert ended in (FINISHED, -signal.SIGKILL), number
        seen = seen_by(box, shop, folder / str(number))
        yield Interruption(seen, main(call))
        if ended == FINISHED:
            assert number > LEAST_CHANGES
            return


@pytest.mark.parametrize(
    "words",
    [
        ["rollout", "1.0.0", 30],
        pytest.param(["refresh"], marks=pytest.mark.slow),
        pytest.param(["rotate"], marks=pytest.mark.slow),
    ],
)
def test_killed_before_any_change_boxes_see_the_old_or_the_new(
    stocked: Shop, experienced: Box, tmp_path: Path, words: list[object]
) -> None:
    before = seen_by(experienced, stocked, tmp_path / "before")
    all_of_them = list(interruptions(stocked, experienced, tmp_path, words))
    after = all_of_them[-1].seen
    told = [one.seen for one in all_of_them]
    assert told == [before] * told.count(before) + [after] * (len(told) - told.count(before))
    assert {one.repeated for one in all_of_them} == {0}


@pytest.mark.slow
def test_killed_while_keys_change_boxes_go_on(
    stocked: Shop, experienced: Box, tmp_path: Path
) -> None:
    new = tmp_path / "new-keys"
    make_keys(NewKeys(new, development=True, bundles_of=stocked.keys), Passphrases(), utc_now())
    restore = kept(stocked, "kept")
    words = ["rotate", "--to", str(new), *map(str, stocked.signing)]
    for number in itertools.count(1):
        restore()
        ended = killed_at(number, stocked.folder, words)
        assert len(seen_by(experienced, stocked, tmp_path / str(number))) == 1, number
        if ended == FINISHED:
            break


@pytest.mark.slow
def test_killed_while_a_bundle_is_promoted_boxes_see_the_beta_or_the_stable(
    stocked: Shop, experienced: Box, tmp_path: Path
) -> None:
    promotions = list(interruptions(stocked, experienced, tmp_path, ["promote", "1.0.0"]))
    channels = []
    for one in promotions:
        (custom,) = one.seen.values()
        assert isinstance(custom, dict)
        channels.append(custom["channel"])
        assert one.repeated == (0 if custom["channel"] == "beta" else REFUSED)
    assert channels == ["beta"] * channels.count("beta") + ["stable"] * channels.count("stable")
    assert channels[-1] == "stable"
    assert not list(stocked.repository.rglob(".*.part"))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_killed_at_a_random_time_while_publishing_boxes_go_on(
    stocked: Shop, experienced: Box, tmp_path: Path, bundle_of: BundleOf, builder: Path, seed: int
) -> None:
    words = [bundle_of("1.1.0"), "--tier", "vm", "--notes", stocked.notes]
    words += ["--built-by", builder / "ca.crt", *stocked.signing]
    command = [sys.executable, "-m", "allerac_release", "publish", *map(str, words)]
    random = Random(seed)  # noqa: S311  the same moment every time
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.DEVNULL) as process:
        lock = stocked.folder / f".{stocked.repository.name}.lock"
        while not lock.exists():
            with suppress(subprocess.TimeoutExpired):
                process.wait(POLL_SECONDS)
        try:
            process.wait(random.uniform(0, 2))
        except subprocess.TimeoutExpired:
            process.kill()
    assert len(seen_by(experienced, stocked, tmp_path / "after")) in (1, 2)
    assert stocked.publish(bundle_of("1.1.0"), builder / "ca.crt").status in (0, 2)
    assert len(seen_by(experienced, stocked, tmp_path / "again")) == 2


@pytest.mark.parametrize("words", [["refresh"], ["promote", "1.0.0"]])
def test_a_full_disk_changes_nothing_for_boxes(
    stocked: Shop, experienced: Box, tmp_path: Path, words: list[str]
) -> None:
    before = seen_by(experienced, stocked, tmp_path / "before")
    call = [*words, *map(str, stocked.signing)]
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM_BYTES, ROOM_BYTES))
        os._exit(main(call))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) in (1, REFUSED)
    assert seen_by(experienced, stocked, tmp_path / "after") == before
    assert main(call) == FINISHED
    assert not list(stocked.repository.rglob(".*.part"))


def test_two_people_never_change_a_repository_at_once(stocked: Shop) -> None:
    with alone(stocked.repository.resolve()):
        assert stocked.change("halt", "1.0.0").refusal == (
            f"Somebody else is changing {stocked.repository}. Try again when done."
        )
    stocked.done("halt", "1.0.0")
