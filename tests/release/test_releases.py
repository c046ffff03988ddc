"""Publishing, promoting and steering releases, as a box sees them."""

import hashlib
import subprocess
from pathlib import Path
from typing import Any

import pytest

from allerac_release.bundles import read_bundle
from allerac_release.desk import releases_of
from allerac_release.repository import Repository
from tests.release.conftest import BundleOf
from tests.release.release_shop import Box, Shop

PATH = "vm/1.0.0/allerac-vm-1.0.0.raucb"


def custom(box: Box, path: str = PATH) -> dict[str, Any]:
    """Return what the box is told of a release."""
    described: dict[str, Any] | None = box.offers()[path].custom
    assert described is not None
    return described


def test_box_finds_what_was_published_and_fetches_it(stocked: Shop, box: Box) -> None:
    target = box.offers()[PATH]
    told = custom(box)
    fetched = read_bundle(box.fetch(target), [stocked.keys / "trust" / "keyring.pem"])
    assert told.pop("released_at").endswith("Z")
    assert told == {
        "tier": "vm",
        "version": "1.0.0",
        "channel": "beta",
        "percentage": 100,
        "halted": False,
        "minimum_version": "0.0.0",
        "manifest_hash": fetched.manifest_hash,
        "notes": {"en": "Answers begin sooner.", "de": "Antworten beginnen früher."},
        "evidence": {},
    }
    assert (fetched.compatible, fetched.version) == ("allerac-vm", "1.0.0")


def test_manifest_hash_is_of_the_manifest_that_was_signed(stocked: Shop, tmp_path: Path) -> None:
    (bundle,) = stocked.repository.rglob("*.raucb")
    signature = tmp_path / "signature"
    keyring = f"--keyring={stocked.keys / 'trust' / 'keyring.pem'}"
    command = ["/usr/bin/rauc", "extract-signature", "--trust-environment", keyring]
    subprocess.run([*command, str(bundle), str(signature)], check=True, capture_output=True)
    opened = subprocess.run(
        ["/usr/bin/openssl", "cms", "-verify", "-noverify", "-inform", "DER", "-in", signature],
        check=True,
        capture_output=True,
    )
    octets = b"\x04\x82" + len(opened.stdout).to_bytes(2, "big") + opened.stdout
    assert octets in signature.read_bytes()  # DER: not a byte was changed on the way out
    assert b"version=1.0.0" in opened.stdout
    (release,) = releases_of(Repository(stocked.repository).read())
    assert release.manifest_hash == hashlib.sha256(opened.stdout).hexdigest()


def test_promoting_changes_the_signature_and_not_the_bundle(stocked: Shop, box: Box) -> None:
    beta = box.fetch(box.offers()[PATH]).read_bytes()
    before = custom(box)
    said = stocked.done("promote", "1.0.0", "--percentage", 25)
    assert said == "1.0.0 for vm: stable, 25 %, from 0.0.0 on.\n"
    after = custom(box)
    stable = box.fetch(box.offers()[PATH]).read_bytes()
    assert after == {**before, "channel": "stable", "percentage": 25}
    payload = len(beta) - 8 - int.from_bytes(beta[-8:], "big")
    assert stable[:payload] == beta[:payload]
    assert stable[payload:] != beta[payload:]
    assert b"bundles, stable" in stable
    assert b"bundles, beta" not in stable


def test_a_box_that_is_fetching_the_beta_finds_it_after_promotion(stocked: Shop, box: Box) -> None:
    beta = box.offers()[PATH]
    stocked.done("promote", "1.0.0")
    assert box.fetch(beta).stat().st_size == beta.length


def test_the_steering_wheel_reaches_the_box(stocked: Shop, box: Box) -> None:
    stocked.done("rollout", "1.0.0", 40)
    assert custom(box)["percentage"] == 40
    stocked.done("halt", "1.0.0")
    assert custom(box)["halted"] is True
    stocked.done("resume", "1.0.0")
    assert custom(box)["halted"] is False
    stocked.done("minimum", "1.0.0", "0.9.0")
    assert custom(box)["minimum_version"] == "0.9.0"


def test_a_later_release_keeps_who_may_take_it(
    stocked: Shop, box: Box, bundle_of: BundleOf, builder: Path
) -> None:
    stocked.done("minimum", "1.0.0", "0.9.0")
    stocked.publish(bundle_of("1.1.0"), builder / "ca.crt")
    assert custom(box, "vm/1.1.0/allerac-vm-1.1.0.raucb")["minimum_version"] == "0.9.0"
    assert set(box.offers()) == {PATH, "vm/1.1.0/allerac-vm-1.1.0.raucb"}


def test_a_revoked_release_is_gone_with_its_file(stocked: Shop, box: Box) -> None:
    assert box.offers()
    assert stocked.done("revoke", "1.0.0") == "1.0.0 for vm is taken back.\n"
    assert box.offers() == {}
    assert not list(stocked.repository.rglob("*.raucb"))


def test_a_version_is_steered_for_one_tier_alone(
    stocked: Shop, box: Box, bundle_of: BundleOf, builder: Path
) -> None:
    words = ["--tier", "n100", "--notes", stocked.notes, "--built-by", builder / "ca.crt"]
    stocked.done("publish", bundle_of("n100/1.0.0"), *words)
    stocked.done("halt", "1.0.0", "--tier", "n100")
    assert custom(box)["halted"] is False
    assert custom(box, "n100/1.0.0/allerac-n100-1.0.0.raucb")["halted"] is True
    assert stocked.done("rollout", "1.0.0", 5).count("5 %") == 2


@pytest.mark.parametrize("version", ["1.0.0", "0.9.9", "1.0.0-beta.1"])
def test_what_is_not_newer_is_refused(
    stocked: Shop, bundle_of: BundleOf, builder: Path, version: str
) -> None:
    refused = stocked.publish(bundle_of(version), builder / "ca.crt").refusal
    assert refused == f"{version} is not newer than 1.0.0, the newest for vm."


def test_a_bundle_of_another_tier_than_said_is_refused(
    stocked: Shop, bundle_of: BundleOf, builder: Path
) -> None:
    refused = stocked.publish(bundle_of("n100/2.0.0"), builder / "ca.crt").refusal
    assert refused == "n100-2.0.0.raucb is for allerac-n100, not for tier vm."


@pytest.mark.parametrize("percentage", ["-1", "101"])
def test_a_percentage_out_of_range_is_refused(stocked: Shop, percentage: str) -> None:
    refused = stocked.change("promote", "1.0.0", f"--percentage={percentage}").refusal
    assert refused == f"{percentage} is no percentage: 0 to 100."
    assert stocked.overview["releases"][0]["channel"] == "beta"


def test_an_unknown_version_is_refused_with_those_there_are(stocked: Shop) -> None:
    assert stocked.change("halt", "3.0.0").refusal == (
        "There is no release 3.0.0. Releases: 1.0.0 (vm)."
    )
    assert stocked.change("halt", "1.0.0", "--tier", "i7").refusal == (
        "There is no release 1.0.0 for i7. Releases: 1.0.0 (vm)."
    )


def test_a_minimum_that_the_release_itself_misses_is_refused(stocked: Shop) -> None:
    refused = stocked.change("minimum", "1.0.0", "1.0.1").refusal
    assert refused == "1.0.1 cannot be the least version that may take 1.0.0."
    assert "is no version" in stocked.change("minimum", "1.0.0", "yesterday").refusal


def test_a_stable_release_is_not_promoted_again(stocked: Shop) -> None:
    stocked.done("promote", "1.0.0")
    assert stocked.change("promote", "1.0.0").refusal == "1.0.0 for vm is stable already."


def test_nothing_is_changed_where_nothing_was_published(shop: Shop) -> None:
    assert "`publish` begins one" in shop.change("refresh").refusal
    assert "`publish` begins one" in shop.run("show", "--repository", shop.repository).refusal


@pytest.mark.parametrize(
    ("notes", "reason"),
    [
        ("en: Hello.\n", "must have the texts en and de"),
        ("en: Hello.\nde: ''\n", "has no text under de"),
        ("en: Hello.\nde: [1]\n", "has no text under de"),
        (f"en: {'x' * 2001}\nde: Hallo.\n", "2001 characters, 2000 are allowed"),
        ("en: [", "cannot be read as release notes"),
    ],
)
def test_notes_that_a_page_cannot_show_are_refused(
    shop: Shop, builder: Path, bundle_of: BundleOf, notes: str, reason: str
) -> None:
    shop.notes.write_text(notes)
    assert reason in shop.publish(bundle_of("1.0.0"), builder / "ca.crt").refusal
    assert not shop.repository.exists()
