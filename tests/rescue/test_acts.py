"""What the acts change, and what they leave."""

import sqlite3
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from allerac_rescue.acts import perform, read_result
from allerac_rescue.codes import hash_code, matches
from allerac_rescue.places import Places
from allerac_rescue.programs import Told, run
from tests.rescue.rescued_box import LABEL, OWNER, NotedPrograms

REPOSITORY = Path(__file__).parents[2]
STAY = ("systemctl", "stop", "allerac-boot-deadline.timer")
REBOOT = ("systemctl", "reboot")


@pytest.fixture
def lived_in(places: Places) -> Places:
    """A box with all that people bring to one: model, talk, network, owner, host key."""
    for name in ("models/small.gguf", "blobs/ab/cd", "downloads/half.part", "secrets/key"):
        file = places.allerac / name
        file.parent.mkdir(parents=True)
        file.write_bytes(b"x" * 10_000)
    with sqlite3.connect(places.database) as link:
        link.execute("CREATE TABLE message (text TEXT)")
    link.close()
    network = places.data / "network/home.nmconnection"
    network.parent.mkdir()
    network.write_text("[wifi]")
    host_key = places.data / "ssh/host_key"
    host_key.parent.mkdir()
    host_key.write_text("a key")
    return places


def _names(folder: Path) -> set[str]:
    return {entry.name for entry in folder.iterdir()}


def test_freeing_space_leaves_conversations_documents_and_models(
    lived_in: Places, programs: NotedPrograms
) -> None:
    (lived_in.allerac / "reserve").write_bytes(b"x" * 10_000)
    assert perform("free-space", lived_in, programs) == 0
    assert _names(lived_in.allerac) == {
        "models", "blobs", "downloads", "secrets", "allerac.sqlite"
    }  # fmt: skip
    assert _names(lived_in.allerac / "downloads") == set()
    assert ("journalctl", "--rotate", "--vacuum-size=16M") in programs.wanted


def test_a_reset_forgets_all_but_models_and_the_label(
    lived_in: Places, programs: NotedPrograms
) -> None:
    assert perform("factory-reset", lived_in, programs) == 0
    assert _names(lived_in.allerac) == {"models"}
    assert _names(lived_in.data / "network") == set()
    assert _names(lived_in.data / "ssh") == set()
    (kept,) = lived_in.codes.read_text().splitlines()
    assert matches(LABEL, kept.removeprefix("label:"))
    assert not lived_in.reset_wish.exists()
    assert programs.wanted == [
        ("systemctl", "stop", "allerac.service"),
        ("systemctl", "reboot"),
    ]


def test_a_reset_that_was_cut_is_finished_by_the_next_start(
    lived_in: Places, programs: NotedPrograms
) -> None:
    programs.answers["systemctl"] = Told(None, "the power went")
    assert perform("factory-reset", lived_in, programs) == 1
    assert lived_in.reset_wish.exists()
    assert lived_in.database.exists()
    assert perform("finish-reset", lived_in, programs) == 0
    assert _names(lived_in.allerac) == {"models"}


def test_without_a_wish_nothing_is_finished(lived_in: Places, programs: NotedPrograms) -> None:
    assert perform("finish-reset", lived_in, programs) == 0
    assert lived_in.database.exists()


def test_a_partition_that_cannot_be_mounted_is_made_anew(
    places: Places, programs: NotedPrograms
) -> None:
    places.allerac.rmdir()
    assert perform("factory-reset", places, programs) == 0
    assert programs.wanted == [
        STAY,
        ("mkfs.ext4", "-F", "-L", "allerac-data", str(places.data_device)),
        REBOOT,
    ]
    (kept,) = places.codes.read_text().splitlines()
    assert kept.startswith("label:")


@pytest.fixture
def broken(places: Places) -> Places:
    """A box whose data partition has lost the superblock that is looked at first, ext4(5)."""
    places.allerac.rmdir()
    device = places.data_device
    device.parent.mkdir(parents=True)
    with device.open("wb") as file:
        file.truncate(32 * 2**20)
    _ext4("mkfs.ext4", "-q", "-b", "1024", str(device))
    with device.open("r+b") as file:
        file.seek(1024)
        file.write(bytes(1024))
    assert _ext4("dumpe2fs", "-h", str(device), may_fail=True) != 0
    return places


def _ext4(*words: str, may_fail: bool = False) -> int:
    done = subprocess.run(words, capture_output=True, check=not may_fail, timeout=60)
    return done.returncode


class _RealPrograms(NotedPrograms):
    """Really runs what works on file systems."""

    def __call__(self, words: Sequence[str], seconds: float = 5.0) -> Told:
        noted = super().__call__(words, seconds)
        return noted if words[0] == "systemctl" else run(words, seconds)


def test_a_partition_that_cannot_be_mounted_is_repaired_and_the_box_starts_anew(
    broken: Places,
) -> None:
    programs = _RealPrograms()
    assert perform("repair", broken, programs) == 0
    assert _ext4("e2fsck", "-f", "-n", str(broken.data_device)) == 0
    assert (programs.wanted[0], programs.wanted[-1]) == (STAY, REBOOT)


def test_a_partition_that_is_beyond_repair_is_told_and_the_box_stays(broken: Places) -> None:
    broken.data_device.write_bytes(bytes(32 * 2**20))
    programs = _RealPrograms()
    assert perform("repair", broken, programs) == 1
    told = read_result(broken, "repair")
    assert told is not None
    assert "superblock" in told["error"]
    assert REBOOT not in programs.wanted


@pytest.mark.parametrize(("status", "repaired"), [(1, True), (3, True), (4, False), (None, False)])
def test_what_is_left_uncorrected_is_no_success(
    broken: Places, programs: NotedPrograms, status: int | None, repaired: bool
) -> None:
    programs.answers["e2fsck"] = Told(status, "told")
    assert perform("repair", broken, programs) == (0 if repaired else 1)


def test_a_disk_that_is_open_is_not_repaired_beneath_it(
    lived_in: Places, programs: NotedPrograms
) -> None:
    assert perform("repair", lived_in, programs) == 1
    assert programs.wanted == []


def test_a_box_without_data_does_not_restart_under_the_hands_of_who_helps(
    lived_in: Places, places: Places, programs: NotedPrograms
) -> None:
    perform("inspect", lived_in, programs)
    assert STAY not in programs.wanted
    lived_in.allerac.rename(lived_in.root / "away")
    perform("inspect", places, programs)
    assert STAY in programs.wanted


def test_what_is_found_tells_space_database_and_failed_parts(
    lived_in: Places, programs: NotedPrograms
) -> None:
    programs.answers["systemctl"] = Told(0, "rauc.service loaded failed failed RAUC\n")
    perform("inspect", lived_in, programs)
    told = read_result(lived_in, "inspect")
    assert told is not None
    assert told["database"] == "ok"
    assert told["failed"] == ["rauc.service"]
    assert told["uses"]["models"] >= 10_000
    assert told["uses"]["logs"] == 0


def test_forgetting_the_network_leaves_conversations(
    lived_in: Places, programs: NotedPrograms
) -> None:
    assert perform("reset-network", lived_in, programs) == 0
    assert _names(lived_in.data / "network") == set()
    assert lived_in.database.exists()


def test_a_wish_is_taken_before_it_is_done(places: Places, programs: NotedPrograms) -> None:
    (places.requests / "restart").touch()
    perform("restart", places, programs)
    assert _names(places.requests) == set()


def test_a_program_that_hangs_or_is_missing_is_told(tmp_path: Path) -> None:
    assert run(["sleep", "5"], 0.1).status is None
    assert run([str(tmp_path / "absent")]).status is None


def test_the_systems_own_python_needs_nothing_else() -> None:
    """Without site-packages, environment and current folder, as its unit starts it."""
    script = (
        f"import sys; sys.path[:0] = [{str(REPOSITORY / 'rescue')!r}]\n"
        "import allerac_rescue.command\n"
        "assert not any('site-packages' in path for path in sys.path)"
    )
    command = ["/usr/bin/python3", "-I", "-S", "-B", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert (done.returncode, done.stderr) == (0, "")


def test_hashes_differ_though_the_code_is_the_same() -> None:
    one, two = hash_code(OWNER), hash_code(OWNER)
    assert one != two
    assert matches(OWNER.lower(), one)
    assert not matches(LABEL, one)
