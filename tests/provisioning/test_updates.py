"""What the image says about its updates is what the runtime reads."""

from pathlib import Path
from xml.etree import ElementTree

import jinja2
import pytest

from allerac.updates import read_configuration

ROLE = Path(__file__).parents[2] / "provisioning" / "roles" / "update"
FACTS = {
    "update_tier": "n100",
    "update_version": "1.10.0",
    "update_built_at": 1_780_000_000,
    "update_root": "root.json",
    "update_server": "https://updates.example.org/allerac",
    "update_channel": "beta",
}


def _written(folder: Path, **facts: object) -> Path:
    loader = jinja2.FileSystemLoader(ROLE / "templates")
    environment = jinja2.Environment(loader=loader, undefined=jinja2.StrictUndefined)  # noqa: S701  # a file of settings, no page
    template = environment.get_template("etc/allerac/update.yaml.j2")
    path = folder / "update.yaml"
    path.write_text(template.render(ansible_managed="made", **{**FACTS, **facts}))
    return path


def test_a_box_knows_its_tier_version_and_server(tmp_path: Path) -> None:
    read = read_configuration(_written(tmp_path))
    assert (read.box.tier, str(read.box.installed), read.box.channel) == ("n100", "1.10.0", "beta")
    assert read.url == FACTS["update_server"]
    assert read.trust.root_file == Path("/usr/share/allerac/updates/root.json")


@pytest.mark.parametrize("missing", ["update_root", "update_server"])
def test_a_box_asks_no_server_whose_lists_it_could_not_trust(tmp_path: Path, missing: str) -> None:
    assert read_configuration(_written(tmp_path, **{missing: ""})).url is None


def test_only_root_and_the_runtime_speak_to_rauc() -> None:
    path = ROLE / "files/etc/dbus-1/system.d/allerac-update.conf"
    policies = ElementTree.parse(path).getroot()  # noqa: S314 - a file of ours
    allowed = {policy.get("user") for policy in policies if policy.find("allow") is not None}
    assert allowed == {"root", "allerac"}
    [everybody] = [policy for policy in policies if policy.get("context") == "default"]
    assert [rule.tag for rule in everybody] == ["deny"]


def test_a_slot_is_booted_only_after_the_runtime_compared_it() -> None:
    assert "activate-installed=false" in (ROLE / "templates/etc/rauc/system.conf.j2").read_text()
