"""The lists of what is in a root, from what dpkg and pip left there."""

import json
from pathlib import Path

import pytest

from allerac_image.contents import debian_packages, python_distributions
from allerac_image.inventory import BILL, PACKAGES, write_inventory
from allerac_image.log import StepLog
from tests.image.plans import plan_below

STATUS = """\
Package: zlib1g
Status: install ok installed
Installed-Size: 164
Architecture: amd64
Version: 1:1.3.dfsg+really1.3.1-1
Description: compression
 Package: not-a-field

Package: gone
Status: deinstall ok config-files
Architecture: amd64
Version: 1

Package: adduser
Status: install ok installed
Installed-Size: 500
Architecture: all
Version: 3.152
"""

COPYRIGHT = """\
Format: machine-readable

Files: *
License: GPL-2+

Files: debian/*
License: Zlib

License: GPL-2+
 The text of it.
"""

SITE = "opt/allerac/venv/lib/python3.13/site-packages"
METADATA = {
    "segno-1.6.6": (
        "Name: segno\nVersion: 1.6.6\nClassifier: License :: OSI Approved :: BSD License\n"
    ),
    "Jinja2-3.1.6": (
        "Name: Jinja2\nVersion: 3.1.6\nLicense-Expression: BSD-3-Clause\n\nLicense: not this\n"
    ),
    "long-1": "Name: long\nVersion: 1\nLicense: A whole\n  licence text\n",
}
RECORD = "segno/a.py,sha256=x,100\nsegno/b.py,sha256=y,23\nRECORD,,\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root with three packages of Debian, one of them removed, and three distributions."""
    root = plan_below(tmp_path).root
    files = {
        "var/lib/dpkg/status": STATUS,
        "usr/share/doc/zlib1g/copyright": COPYRIGHT,
        **{f"{SITE}/{name}.dist-info/METADATA": text for name, text in METADATA.items()},
        f"{SITE}/segno-1.6.6.dist-info/RECORD": RECORD,
    }
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_installed_packages_are_listed_with_licence_and_package_url(root: Path) -> None:
    adduser, zlib = debian_packages(root)
    assert (adduser.name, adduser.licences) == ("adduser", ())
    assert zlib.purl == (
        "pkg:deb/debian/zlib1g@1%3A1.3.dfsg%2Breally1.3.1-1?arch=amd64&distro=debian-13"
    )
    assert zlib.licences == ("GPL-2+", "Zlib")
    assert zlib.size_bytes == 164 * 1024


def test_distributions_are_listed_with_the_licence_they_state(root: Path) -> None:
    jinja, long, segno = python_distributions(root)
    assert (jinja.purl, jinja.licences) == ("pkg:pypi/jinja2@3.1.6", ("BSD-3-Clause",))
    assert long.licences == ()
    assert (segno.licences, segno.size_bytes) == (("BSD License",), 123)


def test_the_bill_of_materials_names_every_component_once_and_is_the_same_again(
    root: Path, tmp_path: Path
) -> None:
    plan = plan_below(tmp_path)
    plan.staging.mkdir()
    written = []
    for _ in range(2):
        write_inventory(plan, StepLog(tmp_path / "log", None))
        written.append((plan.staging / BILL).read_text())
    bill = json.loads(written[0])
    assert written[0] == written[1]
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    references = [component["bom-ref"] for component in bill["components"]]
    assert len(references) == len(set(references)) == 5
    assert (plan.staging / PACKAGES).read_text().splitlines()[0] == "adduser 3.152 all"
