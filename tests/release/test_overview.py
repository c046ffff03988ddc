"""What `show` and `verify` tell, to people and to programs."""

import json
import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from allerac_image.cli import main as image_tool
from allerac_release.cli import main as release_tool
from allerac_release.overview import overview_of
from allerac_release.repository import Repository, utc_now
from tests.release.conftest import BundleOf
from tests.release.release_shop import NOTES, Shop


@pytest.fixture(scope="module")
def filled(
    tmp_path_factory: pytest.TempPathFactory,
    made_keys: Path,
    stock: Path,
    bundle_of: BundleOf,
    builder: Path,
) -> Path:
    """A repository with three releases in two tiers."""
    folder = tmp_path_factory.mktemp("shelf")
    repository, notes = folder / "repository", folder / "notes.yaml"
    shutil.copytree(stock, repository)
    notes.write_text(NOTES, "utf-8")
    signing = ["--repository", repository, "--keys", made_keys, "--development"]
    made = ["--notes", notes, "--built-by", builder / "ca.crt"]
    for words in (
        ["promote", "1.0.0"],
        ["halt", "1.0.0"],
        ["publish", bundle_of("1.10.0"), "--tier", "vm", *made, "--minimum", "1.0.0"],
        ["publish", bundle_of("n100/1.9.0"), "--tier", "n100", *made, "--percentage", 5],
    ):
        assert release_tool([str(word) for word in (*words, *signing)]) == 0
    return repository


@pytest.fixture
def shelf(shop: Shop, filled: Path) -> Shop:
    """A shop with a copy of it."""
    shutil.copytree(filled, shop.repository)
    return shop


def verify(shop: Shop) -> tuple[int, str]:
    """Return the status and what is wrong."""
    words = ("--repository", shop.repository, "--trust", shop.keys / "trust")
    outcome = shop.run("verify", *words)
    return outcome.status, outcome.err


def test_the_table_has_a_line_for_every_release_the_newest_first(shelf: Shop) -> None:
    soon = Repository(shelf.repository, lambda: utc_now() + timedelta(hours=1))
    assert overview_of(soon).lines() == [
        "VERSION  TIER  CHANNEL  PERCENTAGE  HALTED  MINIMUM  EVIDENCE  SIGNATURE DAYS LEFT",
        "1.9.0    n100  beta     5 %         -       0.0.0    -         1094",
        "1.10.0   vm    beta     100 %       -       1.0.0    -         1094",
        "1.0.0    vm    stable   10 %        halted  0.0.0    -         1094",
        "",
        "Root 1, development keys. Days left: root 364, targets 89, snapshot 6, timestamp 6.",
    ]


def test_the_table_is_printed(shelf: Shop) -> None:
    shown = shelf.run("show", "--repository", shelf.repository)
    assert (shown.status, shown.err, shown.out.count("\n")) == (0, "", 6)


def test_programs_read_the_same(shelf: Shop) -> None:
    overview = shelf.overview
    assert overview["development"] is True
    assert overview["warnings"] == []
    newest = overview["releases"][1]
    assert newest.pop("size_bytes") > 16 * 1024
    assert len(newest.pop("manifest_hash")) == 64
    del newest["released_at"], newest["signature_days_left"]
    assert newest == {
        "version": "1.10.0",
        "tier": "vm",
        "channel": "beta",
        "percentage": 100,
        "halted": False,
        "minimum_version": "1.0.0",
        "evidence": {},
    }


def test_a_sound_repository_is_believed(shelf: Shop) -> None:
    assert verify(shelf) == (0, "")


def test_a_bundle_that_changed_on_the_disk_is_found(shelf: Shop) -> None:
    (bundle,) = shelf.repository.rglob("*allerac-n100-1.9.0.raucb")
    content = bytearray(bundle.read_bytes())
    content[100] ^= 1
    bundle.write_bytes(content)
    status, problem = verify(shelf)
    assert status == 1
    assert problem.startswith("1.9.0 for n100: ")
    assert problem.count("\n") == 1


def test_a_bundle_that_is_gone_is_found(shelf: Shop) -> None:
    for bundle in shelf.repository.rglob("*allerac-vm-1.10.0.raucb"):
        bundle.unlink()
    assert verify(shelf)[1].startswith("1.10.0 for vm: ")
    shown = shelf.run("show", "--repository", shelf.repository)
    assert shown.refusal.startswith("There is no bundle at ")


@pytest.mark.parametrize("name", ["timestamp.json", "5.snapshot.json", "5.targets.json"])
def test_metadata_that_changed_on_the_disk_are_found(shelf: Shop, name: str) -> None:
    file = shelf.repository / "metadata" / name
    changed = json.loads(file.read_text())
    changed["signed"]["version"] += 1
    file.write_text(json.dumps(changed))
    assert verify(shelf)[1].startswith("Metadata: ")
    assert f"{name} is not signed" in shelf.change("refresh").refusal


@pytest.mark.parametrize("content", ["", "{}", "not JSON", '{"signed": {"_type": "root"}}'])
def test_a_broken_file_is_named(shelf: Shop, content: str) -> None:
    file = shelf.repository / "metadata" / "timestamp.json"
    file.write_text(content)
    assert shelf.change("refresh").refusal == f"{file} is no TUF metadata."
    assert verify(shelf)[1].startswith("Metadata: ")


def test_metadata_of_another_repository_are_found(shelf: Shop, tmp_path: Path) -> None:
    other = tmp_path / "other"
    assert shelf.run("keys", "--development", other).status == 0
    shelf.keys = other
    assert verify(shelf)[0] == 1
    assert "A key of targets is missing" in shelf.change("halt", "1.0.0").refusal


def test_a_folder_without_trust_is_named(shelf: Shop) -> None:
    (shelf.keys / "trust" / "keyring.pem").unlink()
    words = ("--repository", shelf.repository, "--trust", shelf.keys / "trust")
    assert "keyring.pem is missing" in shelf.run("verify", *words).refusal


def test_the_image_tool_leads_to_this_one(shelf: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    direct = shelf.run("show", "--repository", shelf.repository, "--json").out
    assert image_tool(["release", "show", "--repository", str(shelf.repository), "--json"]) == 0
    assert capsys.readouterr().out == direct


def test_a_repository_that_cannot_be_written_is_named(
    shop: Shop, bundle_of: BundleOf, builder: Path
) -> None:
    shop.repository.write_text("a file\n")
    outcome = shop.publish(bundle_of("1.0.0"), builder / "ca.crt")
    assert outcome.status == 1
    assert outcome.err.startswith(str(shop.repository))
    assert outcome.err.count("\n") == 1
