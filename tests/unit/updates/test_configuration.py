"""What the image says about its updates."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from allerac.errors import InvalidInput
from allerac.updates.configuration import read_configuration

WHOLE = """\
tier: n100
version: 1.2.3
built_at: 1780000000
root: /usr/share/allerac/updates/root.json
url: https://updates.example.org/box
channel: beta
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "update.yaml"
    path.write_text(text)
    return path


def test_the_file_says_what_the_box_is_and_whom_it_trusts(tmp_path: Path) -> None:
    read = read_configuration(written(tmp_path, WHOLE))
    assert (read.box.tier, str(read.box.installed), read.box.channel) == ("n100", "1.2.3", "beta")
    assert read.url == "https://updates.example.org/box"
    assert read.trust.built_at == datetime.fromtimestamp(1780000000, UTC)


def test_a_box_may_have_no_server_and_no_channel(tmp_path: Path) -> None:
    text = "".join(line for line in WHOLE.splitlines(keepends=True)[:4])
    read = read_configuration(written(tmp_path, text))
    assert read.url is None
    assert read.box.channel == "stable"


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("version: 1.2.3", "version: newest"),
        ("built_at: 1780000000", "built_at: yesterday"),
        ("tier: n100", ""),
        ("channel: beta", "channel: nightly"),
        ("url: https", "url: ftp"),
        ("root: /usr", "- root"),
    ],
)
def test_a_file_that_says_nothing_of_use_is_refused(tmp_path: Path, line: str, wrong: str) -> None:
    with pytest.raises(InvalidInput, match="update"):
        read_configuration(written(tmp_path, WHOLE.replace(line, wrong)))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput):
        read_configuration(tmp_path / "none.yaml")
