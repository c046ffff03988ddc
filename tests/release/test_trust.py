"""What images carry, and that the document names the tool's commands."""

import re
import shutil
from pathlib import Path

import pytest

from allerac_image.cli import main as build
from allerac_image.errors import BadInput
from allerac_release.cli import main
from allerac_release.development import development_trust
from allerac_release.new_keys import NewKeys, make_keys
from allerac_release.passphrases import Passphrases
from allerac_release.repository import utc_now
from allerac_release.trust import accept_trust, read_trust

DOCUMENT = Path(__file__).parents[2] / "docs" / "releasing.md"


def test_trust_says_whether_it_is_for_development(made_keys: Path, tmp_path: Path) -> None:
    phrase = tmp_path / "phrase"
    phrase.write_text("the kettle sings at four\n")
    make_keys(NewKeys(tmp_path / "keys", development=False), Passphrases(phrase), utc_now())
    assert read_trust(made_keys / "trust").development is True
    assert read_trust(tmp_path / "keys" / "trust").development is False


def test_trust_has_no_secrets(made_keys: Path) -> None:
    files = sorted((made_keys / "trust").iterdir())
    assert [file.name for file in files] == ["keyring.pem", "root.json"]
    assert not any(b"PRIVATE" in file.read_bytes() for file in files)


def test_files_that_do_not_belong_together_are_refused(
    made_keys: Path, builder: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "trust"
    shutil.copytree(made_keys / "trust", folder)
    shutil.copy(builder / "ca.crt", folder / "keyring.pem")
    with pytest.raises(BadInput, match="not the authority"):
        read_trust(folder)
    (folder / "root.json").write_text("{}")
    with pytest.raises(BadInput, match="no TUF metadata"):
        read_trust(folder)


def test_a_release_is_not_built_with_development_keys(
    made_keys: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trust = made_keys / "trust"
    assert accept_trust(trust, release=False).development
    assert build(["build", "--tier", "vm", "--release", "--trust", str(trust)]) == 2
    assert capsys.readouterr().out == (
        f"{trust} has development keys, which no release is built with.\n"
    )


def test_a_release_must_say_whom_its_boxes_believe(capsys: pytest.CaptureFixture[str]) -> None:
    assert build(["build", "--tier", "vm", "--release"]) == 2
    assert "--trust KEYS/trust" in capsys.readouterr().out


def test_keys_for_trying_things_out_are_made_once(tmp_path: Path) -> None:
    trust = development_trust(tmp_path / "keys")
    root = (trust / "root.json").read_bytes()
    assert read_trust(development_trust(tmp_path / "keys")).development
    assert (trust / "root.json").read_bytes() == root


def test_release_keys_are_never_taken_for_development_keys(tmp_path: Path) -> None:
    phrase = tmp_path / "phrase"
    phrase.write_text("the kettle sings at four\n")
    make_keys(NewKeys(tmp_path / "keys", development=False), Passphrases(phrase), utc_now())
    with pytest.raises(BadInput, match="release keys where development keys belong"):
        development_trust(tmp_path / "keys")


def test_the_document_names_every_command_and_no_other(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    commands = set(re.findall(r"^    ([a-z]+)  ", capsys.readouterr().out, re.MULTILINE))
    text = DOCUMENT.read_text("utf-8")
    assert set(re.findall(r"`release ([a-z]+)", text)) <= commands
    assert {command for command in commands if not re.search(rf"\b{command}\b", text)} == set()
    assert len(commands) == 12
