"""A drive is given the certificate in the folder that asks for it, and nothing else of it changes.

The mounts are tested under the target's own systemd (`tests/provisioning/test_burn_in.py`).
"""

import json
from pathlib import Path

import pytest

from allerac.app.hand_over import hand_over_certificate
from allerac.appliance.view import FILE_NAME, write_view
from allerac.burn_in.hand_over import FOR_STATION, asks, put
from allerac.errors import Unavailable
from allerac.settings import Settings
from tests.unit.appliance.test_screen import CLAIMED, UNCLAIMED


def test_drive_with_the_folder_asks(tmp_path: Path) -> None:
    (tmp_path / FOR_STATION).mkdir()
    assert asks(tmp_path)


@pytest.mark.parametrize("what", ["nothing", "a file", "a link to a folder", "one further down"])
def test_any_other_drive_does_not(tmp_path: Path, what: str) -> None:
    drive = tmp_path / "drive"
    drive.mkdir()
    elsewhere = tmp_path / "etc"
    elsewhere.mkdir()
    if what == "a file":
        (drive / FOR_STATION).touch()
    elif what == "a link to a folder":
        (drive / FOR_STATION).symlink_to(elsewhere)
    elif what == "one further down":
        (drive / "holiday" / FOR_STATION).mkdir(parents=True)
    assert not asks(drive)


def test_certificate_replaces_an_older_one_and_leaves_no_half(tmp_path: Path) -> None:
    folder = tmp_path / FOR_STATION
    folder.mkdir()
    (folder / "ALR-1-birth-certificate.json").write_text("older, and longer")
    assert put(tmp_path, "ALR-1", b"new") == folder / "ALR-1-birth-certificate.json"
    assert [path.read_bytes() for path in folder.iterdir()] == [b"new"]


def test_link_in_the_folder_is_replaced_and_not_followed(tmp_path: Path) -> None:
    folder = tmp_path / FOR_STATION
    folder.mkdir()
    precious = tmp_path / "precious"
    precious.write_text("kept")
    (folder / "ALR-1-birth-certificate.json").symlink_to(precious)
    put(tmp_path, "ALR-1", b"new")
    assert precious.read_text() == "kept"


def offering(folder: Path, content: str) -> Settings:
    offered = folder / "birth-certificate.json"
    offered.write_text(content)
    return Settings(data_dir=folder, socket=folder / "runtime.sock", offered_certificate=offered)


def test_unit_that_is_claimed_gives_nothing_to_any_drive(tmp_path: Path) -> None:
    settings = offering(tmp_path, json.dumps({"certificate": {"serial": "ALR-1"}}))
    write_view(tmp_path / FILE_NAME, CLAIMED)
    lines: list[str] = []
    hand_over_certificate(settings, tmp_path / "no-device", lines.append)
    assert lines == ["No certificate is offered here."]
    write_view(tmp_path / FILE_NAME, UNCLAIMED)
    with pytest.raises(Unavailable, match="drive"):
        hand_over_certificate(settings, tmp_path / "no-device", lines.append)


@pytest.mark.parametrize("content", ["", "[]", "{}"])
def test_certificate_that_is_none_is_not_handed_over(tmp_path: Path, content: str) -> None:
    with pytest.raises(Unavailable, match="certificate"):
        hand_over_certificate(offering(tmp_path, content), tmp_path / "sda1", lambda _: None)
