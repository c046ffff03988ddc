"""The lists of what is in an image, from what dpkg, pip and npm left."""

import json
from pathlib import Path

import pytest

from allerac_image.contents import debian_packages, python_distributions, web_packages
from allerac_image.inventory import BILL, PACKAGES, WEB_LOCK, write_inventory
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
LOCK = {
    "": {"name": "the application", "version": "0.1.0"},
    "node_modules/react": {"version": "19.3.1", "license": "MIT"},
    "node_modules/@fontsource/figtree": {"version": "5.3.0", "license": "OFL-1.1"},
    "node_modules/react/node_modules/debug": {"version": "4.4.0"},
    "node_modules/debug": {"version": "2.0.0", "license": "MIT"},
    "node_modules/other/node_modules/debug": {"version": "4.4.0"},
    "node_modules/vite": {"version": "8.0.0", "license": "MIT", "dev": True},
    "node_modules/typescript": {"version": "5.9.3", "license": "MIT", "devOptional": True},
    "node_modules/@types/react": {"version": "19.3.0", "license": "MIT"},
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


def test_packages_of_the_web_application_are_listed_once_and_its_tools_are_not(
    tmp_path: Path,
) -> None:
    lock = tmp_path / "package-lock.json"
    lock.write_text(json.dumps({"lockfileVersion": 3, "packages": LOCK}))
    assert [(one.purl, one.licences) for one in web_packages(lock)] == [
        ("pkg:npm/%40fontsource/figtree@5.3.0", ("OFL-1.1",)),
        ("pkg:npm/debug@2.0.0", ("MIT",)),
        ("pkg:npm/debug@4.4.0", ()),
        ("pkg:npm/react@19.3.1", ("MIT",)),
    ]


def test_the_lock_is_of_a_version_that_is_understood() -> None:
    assert json.loads(WEB_LOCK.read_text())["lockfileVersion"] == 3
    names = {one.name for one in web_packages(WEB_LOCK)}
    assert {"react", "react-dom", "katex"} <= names
    assert not names & {"vite", "typescript", "@types/react"}


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
    assert len(references) == len(set(references)) == 5 + len(web_packages(WEB_LOCK))
    assert (plan.staging / PACKAGES).read_text().splitlines()[0] == "adduser 3.152 all"


def test_models_on_board_are_in_the_bill_with_their_licence(root: Path, tmp_path: Path) -> None:
    plan = plan_below(tmp_path, tier_id="n100", preload=True)
    assert plan.root == root
    plan.staging.mkdir()
    write_inventory(plan, StepLog(tmp_path / "log", None))
    bill = json.loads((plan.staging / BILL).read_text())
    models = [one for one in bill["components"] if one["type"] == "machine-learning-model"]
    assert [one["name"] for one in models] == plan.tier.image["preload"]
    for model in models:
        assert model["purl"].startswith("pkg:huggingface/")
        assert model["licenses"] == [{"license": {"name": "apache-2.0"}}]
