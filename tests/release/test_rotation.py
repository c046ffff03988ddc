"""New roots: boxes follow two of three persons, and nobody else."""

import shutil
from pathlib import Path

import pytest
from tuf.api.exceptions import UnsignedMetadataError
from tuf.api.metadata import Metadata, Root

from allerac_release.keys import KeyFolders
from allerac_release.new_keys import NewKeys, make_keys
from allerac_release.passphrases import Passphrases
from allerac_release.repository import utc_now
from tests.release.release_shop import Box, Shop


@pytest.fixture
def successor(stocked: Shop, tmp_path: Path) -> Path:
    """New keys for metadata; bundles are signed as before."""
    folder = tmp_path / "successor"
    wanted = NewKeys(folder, development=True, bundles_of=stocked.keys)
    make_keys(wanted, Passphrases(), utc_now())
    return folder


def root_version(box: Box) -> int:
    """Return the newest root that the box believes."""
    return Metadata[Root].from_file(str(box.folder / "root.json")).signed.version


def test_a_box_with_the_first_root_follows_three_rotations(
    stocked: Shop, box: Box, tmp_path: Path
) -> None:
    old = stocked.keys
    for number in range(2, 5):
        new = tmp_path / f"keys-{number}"
        make_keys(NewKeys(new, development=True, bundles_of=old), Passphrases(), utc_now())
        stocked.done("rotate", "--to", new)
        stocked.keys = old = new
    stocked.done("promote", "1.0.0")
    (target,) = box.offers().values()
    assert root_version(box) == 4
    assert box.fetch(target).stat().st_size == target.length


def test_a_box_between_two_rotations_goes_on(stocked: Shop, box: Box, successor: Path) -> None:
    box.offers()
    stocked.done("rotate")
    box.offers()
    assert root_version(box) == 2
    stocked.done("rotate", "--to", successor)
    assert len(box.offers()) == 1
    assert root_version(box) == 3


def test_old_keys_change_nothing_after_a_rotation(stocked: Shop, successor: Path) -> None:
    stocked.done("rotate", "--to", successor)
    assert "A key of targets is missing" in stocked.change("halt", "1.0.0").refusal


def test_images_made_after_a_rotation_carry_the_new_root(stocked: Shop, successor: Path) -> None:
    stocked.done("rotate", "--to", successor)
    carried = (successor / "trust" / "root.json").read_bytes()
    assert carried == (stocked.repository / "metadata" / "2.root.json").read_bytes()


@pytest.mark.parametrize("lost", ["root-1", "root-2", "root-3"])
def test_one_lost_root_key_stops_nobody(
    stocked: Shop, box: Box, successor: Path, lost: str
) -> None:
    (stocked.keys / "tuf" / f"{lost}.pem").unlink()
    stocked.done("rotate", "--to", successor)
    assert len(box.offers()) == 1


def test_one_root_key_is_not_enough(stocked: Shop, successor: Path) -> None:
    for lost in ("root-1", "root-3"):
        (stocked.keys / "tuf" / f"{lost}.pem").unlink()
    refused = stocked.change("rotate", "--to", successor).refusal
    assert refused.startswith("A key of root is missing: 2 of 3 needed, 1 in ")
    assert not (stocked.repository / "metadata" / "2.root.json").exists()


def test_a_box_refuses_a_root_that_one_stolen_key_signed(
    stocked: Shop, box: Box, successor: Path, tmp_path: Path
) -> None:
    stolen = tmp_path / "stolen"
    (stolen / "tuf").mkdir(parents=True)
    for file in stocked.keys.glob("tuf/root-2.*"):
        shutil.copy(file, stolen / "tuf")
    old = Metadata[Root].from_file(str(stocked.keys / "trust" / "root.json")).signed
    forged = Metadata[Root].from_file(str(successor / "trust" / "root.json"))
    forged.signed.version = 2
    forged.signatures.clear()
    keys = KeyFolders([stolen, successor], Passphrases())
    keys.sign(forged, old.roles["root"])
    keys.sign(forged, forged.signed.roles["root"])
    forged.to_file(str(stocked.repository / "metadata" / "2.root.json"))
    with pytest.raises(UnsignedMetadataError):
        box.offers()
    assert root_version(box) == 1


def test_lost_online_keys_are_replaced(stocked: Shop, box: Box, successor: Path) -> None:
    box.offers()
    for lost in ("snapshot", "timestamp"):
        (stocked.keys / "tuf" / f"{lost}.pem").unlink()
    stocked.done("rotate", "--to", successor)
    assert len(box.offers()) == 1


def test_a_release_is_not_handed_to_development_keys(
    tmp_path: Path, successor: Path, stocked: Shop
) -> None:
    phrase = tmp_path / "phrase"
    phrase.write_text("the kettle sings at four\n")
    release = tmp_path / "release"
    make_keys(NewKeys(release, development=False), Passphrases(phrase), utc_now())
    refused = stocked.change("rotate", "--to", release, "--passphrase-file", phrase).refusal
    assert refused.startswith("These are release keys")
    assert not (stocked.repository / "metadata" / "2.root.json").exists()
