"""Keys: how they are made and kept, and what happens with the wrong ones or too few."""

import os
import pty
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID
from tuf.api.metadata import Metadata, Root

from allerac_image.signing import certify
from allerac_release.new_keys import NewKeys, make_keys
from allerac_release.passphrases import Passphrases
from allerac_release.repository import utc_now
from tests.release.conftest import BundleOf
from tests.release.release_shop import PASSPHRASE, Shop, publish_release, read_pair


def test_nobody_but_the_owner_reads_a_private_key(release_shop: Shop) -> None:
    private = [*release_shop.keys.glob("tuf/*.pem"), *release_shop.keys.glob("rauc/*.key")]
    assert len(private) == 9
    assert {stat.S_IMODE(file.stat().st_mode) for file in private} == {0o600}
    assert stat.S_IMODE(release_shop.keys.stat().st_mode) == 0o700
    for file in private:
        with pytest.raises(TypeError, match="Password was not given"):
            load_pem_private_key(file.read_bytes(), None)


def test_any_two_of_three_root_keys_decide(made_keys: Path) -> None:
    root = Metadata[Root].from_file(str(made_keys / "trust" / "root.json")).signed
    assert (len(root.roles["root"].keyids), root.roles["root"].threshold) == (3, 2)
    assert root.consistent_snapshot
    used = [keyid for role in root.roles.values() for keyid in role.keyids]
    assert len(set(used)) == 6


def test_leaves_may_sign_code_and_nothing_else(made_keys: Path) -> None:
    for channel in ("beta", "stable"):
        pem = (made_keys / "rauc" / f"{channel}.crt").read_bytes()
        leaf = x509.load_pem_x509_certificate(pem)
        purposes = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        assert set(purposes) == {
            ExtendedKeyUsageOID.CODE_SIGNING,
            ExtendedKeyUsageOID.EMAIL_PROTECTION,
        }
        limits = leaf.extensions.get_extension_for_class(x509.BasicConstraints).value
        assert not limits.ca


def test_release_keys_publish_with_their_passphrase(
    release_shop: Shop, phrase: Path, bundle_of: BundleOf, builder: Path
) -> None:
    words = publish_release(release_shop, bundle_of("1.0.0"), builder, "--passphrase-file", phrase)
    outcome = release_shop.run("publish", *words)
    assert (outcome.status, outcome.err) == (0, "")
    assert release_shop.overview["development"] is False
    trust = release_shop.keys / "trust"
    verified = release_shop.run("verify", "--repository", release_shop.repository, "--trust", trust)
    assert verified.out == "A box believes all of it.\n"


def test_a_wrong_passphrase_is_refused_before_anything_is_made(
    release_shop: Shop, phrase: Path, bundle_of: BundleOf, builder: Path
) -> None:
    phrase.write_text("another one altogether\n")
    words = publish_release(release_shop, bundle_of("1.0.0"), builder, "--passphrase-file", phrase)
    refused = release_shop.run("publish", *words).refusal
    assert refused == f"That is not the passphrase of {release_shop.keys / 'tuf/targets.pem'}."
    assert not release_shop.repository.exists()


def test_without_a_terminal_the_passphrase_comes_from_a_file(
    release_shop: Shop, bundle_of: BundleOf, builder: Path
) -> None:
    words = publish_release(release_shop, bundle_of("1.0.0"), builder)
    assert "--passphrase-file" in release_shop.run("publish", *words).refusal


def test_development_keys_sign_no_release(shop: Shop, bundle_of: BundleOf, builder: Path) -> None:
    refused = shop.run("publish", *publish_release(shop, bundle_of("1.0.0"), builder)).refusal
    assert refused == "These are development keys, which never sign a release: --development."
    assert not shop.repository.exists()


def test_release_keys_sign_nothing_for_development(
    release_shop: Shop, phrase: Path, bundle_of: BundleOf, builder: Path
) -> None:
    words = publish_release(
        release_shop, bundle_of("1.0.0"), builder, "--development", "--passphrase-file", phrase
    )
    assert release_shop.run("publish", *words).refusal.startswith("These are release keys")


def test_keys_are_never_overwritten(shop: Shop) -> None:
    before = (shop.keys / "tuf" / "root-1.pem").read_bytes()
    assert "never overwritten" in shop.run("keys", "--development", shop.keys).refusal
    assert (shop.keys / "tuf" / "root-1.pem").read_bytes() == before


def test_a_short_passphrase_makes_no_keys(shop: Shop, phrase: Path, tmp_path: Path) -> None:
    phrase.write_text("kettle\n")
    refused = shop.run("keys", tmp_path / "new", "--passphrase-file", phrase).refusal
    assert refused == "The passphrase is too short: take 12 characters or more."
    phrase.write_text("\n")
    assert (
        "no passphrase" in shop.run("keys", tmp_path / "new", "--passphrase-file", phrase).refusal
    )
    assert not (tmp_path / "new").exists()


def _files(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("role", ["targets", "snapshot", "timestamp"])
def test_a_missing_key_is_named_before_anything_is_changed(stocked: Shop, role: str) -> None:
    (stocked.keys / "tuf" / f"{role}.pem").unlink()
    before = _files(stocked.repository)
    refused = stocked.change("halt", "1.0.0").refusal
    assert refused == f"A key of {role} is missing: 1 of 1 needed, 0 in {stocked.keys}."
    assert _files(stocked.repository) == before


def test_keys_are_found_in_the_folders_of_several_people(stocked: Shop, tmp_path: Path) -> None:
    other = tmp_path / "stick"
    (other / "tuf").mkdir(parents=True)
    for file in stocked.keys.glob("tuf/targets.*"):
        shutil.move(file, other / "tuf" / file.name)
    assert stocked.change("halt", "1.0.0").status == 2
    assert stocked.change("halt", "1.0.0", "--keys", other).status == 0


def test_refreshing_needs_the_online_keys_alone(stocked: Shop) -> None:
    for file in stocked.keys.glob("tuf/*.pem"):
        if file.stem not in ("snapshot", "timestamp"):
            file.unlink()
    stocked.done("refresh")
    assert "A key of targets is missing" in stocked.change("refresh", "--targets").refusal


def test_a_missing_folder_of_keys_is_named(stocked: Shop, tmp_path: Path) -> None:
    refused = stocked.change("refresh", "--keys", tmp_path / "nowhere").refusal
    assert refused == f"There is no folder of keys at {tmp_path / 'nowhere'}."


def test_a_bundle_key_whose_authority_no_box_knows_signs_nothing(
    stocked: Shop, tmp_path: Path, bundle_of: BundleOf, builder: Path
) -> None:
    other = tmp_path / "other"
    make_keys(NewKeys(other, development=True), Passphrases(), utc_now())
    shutil.rmtree(stocked.keys / "rauc")
    shutil.copytree(other / "rauc", stocked.keys / "rauc")
    refused = stocked.publish(bundle_of("1.1.0"), builder / "ca.crt").refusal
    assert refused == f"Boxes of this repository do not trust {stocked.keys / 'rauc' / 'ca.crt'}."


def test_a_channel_without_a_key_is_named(stocked: Shop) -> None:
    (stocked.keys / "rauc" / "stable.key").unlink()
    refused = stocked.change("promote", "1.0.0").refusal
    assert refused == f"The key of bundles for stable is missing in {stocked.keys}."


def test_an_expired_certificate_signs_nothing_until_it_is_renewed(stocked: Shop) -> None:
    rauc = stocked.keys / "rauc"
    authority = read_pair(rauc, "ca")
    ended = certify(authority, "ended", read_pair(rauc, "stable").key.public_key(), days=0)
    (rauc / "stable.crt").write_bytes(ended.public_bytes(Encoding.PEM))
    refused = stocked.change("promote", "1.0.0").refusal
    assert refused.endswith(f"keys {stocked.keys} --renew-certificates.")
    assert stocked.run("keys", stocked.keys, "--renew-certificates").status == 0
    stocked.done("promote", "1.0.0")
    assert stocked.overview["releases"][0]["signature_days_left"] >= 1094


def test_bundle_keys_are_taken_over_with_their_passphrase_alone(
    release_shop: Shop, phrase: Path, tmp_path: Path
) -> None:
    words = ("keys", tmp_path / "new", "--bundles-of", release_shop.keys, "--passphrase-file")
    assert release_shop.run(*words, phrase).status == 0
    taken = (tmp_path / "new" / "trust" / "keyring.pem").read_bytes()
    assert taken == (release_shop.keys / "trust" / "keyring.pem").read_bytes()
    other = tmp_path / "other-phrase"
    other.write_text("quite another passphrase\n")
    words = ("keys", tmp_path / "newer", "--bundles-of", release_shop.keys, "--passphrase-file")
    assert "is not the passphrase of" in release_shop.run(*words, other).refusal
    assert not (tmp_path / "newer").exists()


def test_a_release_takes_over_no_development_key(shop: Shop, phrase: Path, tmp_path: Path) -> None:
    words = ("keys", tmp_path / "new", "--bundles-of", shop.keys, "--passphrase-file", phrase)
    assert "never mix" in shop.run(*words).refusal
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("answers", "status"), [([PASSPHRASE, PASSPHRASE], 0), ([PASSPHRASE, "the kettle sank"], 2)]
)
def test_a_person_at_the_terminal_gives_a_new_passphrase_twice(
    tmp_path: Path, answers: list[str], status: int
) -> None:
    mine, its = pty.openpty()
    command = [sys.executable, "-m", "allerac_release", "keys", str(tmp_path / "typed")]
    with subprocess.Popen(
        command,
        cwd=Path(__file__).parents[2],
        stdin=its,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,  # without a controlling terminal, so that stdin is asked
    ) as process:
        assert process.stderr is not None
        for answer in answers:
            while process.stderr.read(1) != b":":
                assert process.poll() is None
            os.write(mine, f"{answer}\n".encode())
        complaint = process.stderr.read().decode()
    os.close(mine)
    os.close(its)
    assert process.returncode == status, complaint
    assert (tmp_path / "typed").exists() is (status == 0)
    assert ("differ" in complaint) is (status == 2)
