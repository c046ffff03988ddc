"""No release without what its image survived: judged, carried, and found again."""

from pathlib import Path

import pytest

from allerac_release.evidence import cases_in, required_cases
from allerac_release.release import Release
from allerac_release.repository import Repository
from tests.release.conftest import BundleOf
from tests.release.release_shop import BUILD, Shop, publish_release, write_table

OTHER = "89abcdef0123456789abcdef0123456789abcdef"
REASON = "the laboratory has no power today"
A_CASE = "kernel panic"


@pytest.fixture
def words(
    release_shop: Shop, bundle_of: BundleOf, builder: Path, phrase: Path
) -> tuple[object, ...]:
    """What publishes with release keys, but for the evidence."""
    whole = publish_release(release_shop, bundle_of("1.0.0"), builder, "--passphrase-file", phrase)
    at = whole.index("--evidence")
    return (*whole[:at], *whole[at + 2 :])


def _told(shop: Shop) -> dict[str, str]:
    told: dict[str, str] = shop.overview["releases"][0]["evidence"]
    return told


def _verified(shop: Shop) -> str:
    trust = shop.keys / "trust"
    return shop.run("verify", "--repository", shop.repository, "--trust", trust).err


def test_a_release_carries_the_table_that_vouches_for_it(
    release_shop: Shop, words: tuple[object, ...], tmp_path: Path
) -> None:
    table = write_table(tmp_path / "whole.md")
    assert release_shop.run("publish", *words, "--evidence", table).status == 0
    (carried,) = release_shop.repository.rglob("*.update-evidence.md")
    (bundle,) = release_shop.repository.rglob("*.raucb")
    assert carried.parent == bundle.parent
    assert carried.read_bytes() == table.read_bytes()
    assert carried.name.startswith(_told(release_shop)["sha256"])
    assert {case.name for case in cases_in(carried.read_bytes())} == set(required_cases())
    assert _verified(release_shop) == ""
    assert "  whole     " in release_shop.run("show", "--repository", release_shop.repository).out


def test_without_a_table_no_release_is_published(
    release_shop: Shop, words: tuple[object, ...]
) -> None:
    refused = release_shop.run("publish", *words).refusal
    assert refused.startswith("There is no evidence for this image")
    assert not release_shop.repository.exists()


@pytest.mark.parametrize(
    ("flaw", "complaint"),
    [
        ({"without": A_CASE}, f"{A_CASE} did not run with it"),
        ({"failing": A_CASE}, f"{A_CASE} failed"),
        ({"commit": OTHER}, f" and {len(required_cases()) - 4} more did not run with it"),
    ],
)
def test_a_table_with_gaps_vouches_for_nothing(
    release_shop: Shop,
    words: tuple[object, ...],
    tmp_path: Path,
    flaw: dict[str, str],
    complaint: str,
) -> None:
    table = write_table(tmp_path / "gaps.md", **flaw)
    refused = release_shop.run("publish", *words, "--evidence", table).refusal
    assert refused.startswith(f"The evidence does not vouch for {BUILD[:7]}: ")
    assert complaint in refused
    assert not release_shop.repository.exists()


def test_a_line_of_sources_that_no_commit_has_is_not_counted(
    release_shop: Shop, words: tuple[object, ...], tmp_path: Path
) -> None:
    table = write_table(tmp_path / "table.md")
    lines = table.read_text("utf-8").splitlines()
    changed = [f"{line[:-2]}+ |" if line.startswith(f"| {A_CASE} ") else line for line in lines]
    table.write_text("\n".join(changed) + "\n", "utf-8")
    refused = release_shop.run("publish", *words, "--evidence", table).refusal
    assert f"{A_CASE} did not run with it" in refused


def test_a_person_may_release_despite_gaps_and_the_reason_is_published(
    release_shop: Shop, words: tuple[object, ...], tmp_path: Path
) -> None:
    table = write_table(tmp_path / "gaps.md", failing=A_CASE)
    words = (*words, "--evidence", table, "--despite", REASON)
    assert release_shop.run("publish", *words).status == 0
    assert _told(release_shop)["despite"] == REASON
    assert len(list(release_shop.repository.rglob("*.update-evidence.md"))) == 1
    assert "  gaps     " in release_shop.run("show", "--repository", release_shop.repository).out


def test_a_reason_has_to_be_given(release_shop: Shop, words: tuple[object, ...]) -> None:
    refused = release_shop.run("publish", *words, "--despite", "  ").refusal
    assert refused.startswith("--despite wants the reason")


@pytest.mark.parametrize(
    ("content", "complaint"), [(None, "cannot be read"), ("# A page\n", "has no line of a case")]
)
def test_what_is_no_table_is_refused(
    release_shop: Shop,
    words: tuple[object, ...],
    tmp_path: Path,
    content: str | None,
    complaint: str,
) -> None:
    table = tmp_path / "page.md"
    if content is not None:
        table.write_text(content)
    assert complaint in release_shop.run("publish", *words, "--evidence", table).refusal


def test_a_table_that_changed_or_went_afterwards_is_found(
    stocked: Shop, bundle_of: BundleOf, builder: Path, tmp_path: Path
) -> None:
    table = write_table(tmp_path / "table.md")
    assert stocked.publish(bundle_of("1.1.0"), builder / "ca.crt", "--evidence", table).status == 0
    (carried,) = stocked.repository.rglob("*.update-evidence.md")
    carried.write_bytes(carried.read_bytes() + b"\n")
    assert "is not the evidence that was published" in _verified(stocked)
    carried.unlink()
    assert "cannot be read" in _verified(stocked)


def test_the_table_stays_with_a_promoted_release_and_goes_with_a_revoked_one(
    stocked: Shop, bundle_of: BundleOf, builder: Path, tmp_path: Path
) -> None:
    table = write_table(tmp_path / "table.md")
    assert stocked.publish(bundle_of("1.1.0"), builder / "ca.crt", "--evidence", table).status == 0
    stocked.done("promote", "1.1.0")
    assert _verified(stocked) == ""
    assert len(list(stocked.repository.rglob("*.update-evidence.md"))) == 1
    stocked.done("revoke", "1.1.0")
    assert not list(stocked.repository.rglob("*.update-evidence.md"))


def test_a_release_from_before_there_was_evidence_is_still_read(stocked: Shop) -> None:
    (target,) = Repository(stocked.repository).read().files.values()
    assert target.custom is not None
    assert target.custom.pop("evidence") == {}
    assert Release.of(target).evidence == {}
