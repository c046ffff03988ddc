"""What ends after a time, what boxes say then, and what renews it."""

import os
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from tuf.api.exceptions import ExpiredMetadataError

from allerac_image.signing import certify
from allerac_release.new_keys import NewKeys, make_keys
from allerac_release.passphrases import Passphrases
from allerac_release.repository import utc_now
from tests.release.conftest import BundleOf
from tests.release.release_shop import Box, Shop, read_pair

WEEK = timedelta(days=7)


def test_a_box_believes_nothing_older_than_a_week_until_it_is_refreshed(
    shop: Shop, box: Box, bundle_of: BundleOf, builder: Path
) -> None:
    shop.publish_long_ago(WEEK + timedelta(hours=1), bundle_of("1.0.0"), builder / "ca.crt")
    with pytest.raises(ExpiredMetadataError):
        box.offers()
    shop.done("refresh")
    assert len(box.offers()) == 1


def test_refreshing_signs_snapshot_and_timestamp_and_leaves_the_targets(stocked: Shop) -> None:
    before = {path.name: path.read_bytes() for path in (stocked.repository / "metadata").iterdir()}
    stocked.done("refresh")
    after = {path.name: path.read_bytes() for path in (stocked.repository / "metadata").iterdir()}
    changed = {name for name in after if after[name] != before.get(name)}
    assert changed == {"2.snapshot.json", "timestamp.json"}


def test_targets_are_renewed_by_their_own_key(
    shop: Shop, box: Box, bundle_of: BundleOf, builder: Path
) -> None:
    shop.publish_long_ago(timedelta(days=91), bundle_of("1.0.0"), builder / "ca.crt")
    assert "refresh --targets" in shop.change("refresh").refusal
    shop.done("refresh", "--targets")
    assert len(box.offers()) == 1
    assert shop.overview["days_left"]["targets"] >= 89


def test_an_expired_root_stops_every_change_until_it_is_renewed(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    bundle_of: BundleOf,
    builder: Path,
) -> None:
    keys = tmp_path / "old-keys"
    long_ago = timedelta(days=366)
    make_keys(NewKeys(keys, development=True), Passphrases(), utc_now() - long_ago)
    shop = Shop(tmp_path, keys, capsys)
    shop.publish_long_ago(long_ago, bundle_of("1.0.0"), builder / "ca.crt")
    for command in (["refresh"], ["halt", "1.0.0"], ["promote", "1.0.0"]):
        refused = shop.change(*command).refusal
        assert refused.startswith("The root expired on "), command
        assert refused.endswith("renew it by `rotate`.")
    assert shop.done("rotate").startswith("Root 2 is in place")
    shop.done("refresh")


@pytest.mark.parametrize(
    ("age", "ending"),
    [
        (timedelta(days=0), set()),
        (timedelta(days=6), {"snapshot", "timestamp"}),
        (timedelta(days=70), {"snapshot", "timestamp", "targets"}),
    ],
)
def test_what_ends_soon_is_said(
    shop: Shop, bundle_of: BundleOf, builder: Path, age: timedelta, ending: set[str]
) -> None:
    shop.publish_long_ago(age, bundle_of("1.0.0"), builder / "ca.crt")
    shown = shop.run("show", "--repository", shop.repository)
    assert {line.split()[1] for line in shown.err.splitlines()} == ending
    assert shown.status == 0


def test_a_signature_that_ends_soon_is_said(shop: Shop, bundle_of: BundleOf, builder: Path) -> None:
    rauc = shop.keys / "rauc"
    authority, leaf = read_pair(rauc, "ca"), read_pair(rauc, "beta")
    soon = certify(authority, "soon", leaf.key.public_key(), days=100)
    (rauc / "beta.crt").write_bytes(soon.public_bytes(Encoding.PEM))
    outcome = shop.publish(bundle_of("1.0.0"), builder / "ca.crt")
    assert (
        f"The signature of 1.0.0 for vm ends on {soon.not_valid_after_utc:%Y-%m-%d}: "
        in outcome.err
    )
    assert shop.overview["releases"][0]["signature_days_left"] in (99, 100)


def test_replaced_metadata_and_bundles_stay_for_a_week(stocked: Shop) -> None:
    stocked.done("promote", "1.0.0")
    assert len(list(stocked.repository.rglob("*.raucb"))) == 2
    _age(stocked, WEEK - timedelta(hours=1))
    stocked.done("refresh")
    assert len(list(stocked.repository.rglob("*.raucb"))) == 2
    _age(stocked, WEEK + timedelta(hours=1))
    stocked.done("refresh")
    names = {path.name for path in (stocked.repository / "metadata").iterdir()}
    assert names == {
        "1.root.json", "2.targets.json", "3.snapshot.json", "4.snapshot.json", "timestamp.json",
    }  # fmt: skip
    assert len(list(stocked.repository.rglob("*.raucb"))) == 1


def _age(shop: Shop, age: timedelta) -> None:
    """Make every file of the metadata as old as `age`."""
    when = (utc_now() - age).timestamp()
    for path in (shop.repository / "metadata").iterdir():
        os.utime(path, (when, when))
