"""What the image says about its updates is what the runtime reads."""

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jinja2
import pytest
import yaml

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
    path = folder / "update.yaml"
    path.write_text(_rendered("etc/allerac/update.yaml.j2", **{**FACTS, **facts}))
    return path


def _rendered(name: str, **facts: object) -> str:
    loader = jinja2.FileSystemLoader(ROLE / "templates")
    environment = jinja2.Environment(loader=loader, undefined=jinja2.StrictUndefined)  # noqa: S701  # a file of settings, no page
    return environment.get_template(name).render(ansible_managed="made", **facts)


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


def test_a_wrong_clock_refuses_no_bundle() -> None:
    assert "use-bundle-signing-time=true" in _rendered("etc/rauc/system.conf.j2", update_tier="vm")


def test_a_runtime_that_does_not_start_is_judged_all_the_same() -> None:
    unit = _rendered("etc/systemd/system/allerac-prove.service.j2", update_proof_seconds=300)
    needed = re.findall(r"^(?:Requires|BindsTo|Requisite)=(.*)$", unit, re.MULTILINE)
    assert needed == []
    assert "User=allerac" in unit


@pytest.mark.parametrize("virtual", [True, False])
def test_a_system_is_judged_before_its_deadline_ends(virtual: bool) -> None:
    (play,) = yaml.safe_load((ROLE.parents[1] / "site.yml").read_text("utf-8"))
    (told,) = [entry["vars"] for entry in play["roles"] if entry["role"] == "update"]
    facts: dict[str, Any] = {"profile": {"recognise": {"virtual": virtual}}}
    seconds, minutes = (
        int(jinja2.Template(str(told[name])).render(**facts))
        for name in ("update_proof_seconds", "update_deadline_minutes")
    )
    assert seconds + 120 <= minutes * 60
    assert virtual or seconds == 300  # what a box promises


def test_nothing_on_a_drive_can_be_started_or_written() -> None:
    rules = (ROLE / "files/etc/udev/rules.d/90-allerac-drive.rules").read_text()
    (options,) = re.findall(r"--options=(\S+)", rules)
    assert set(options.split(",")) == {"ro", "nosuid", "nodev", "noexec"}
    (kinds,) = re.findall(r'ENV\{ID_FS_TYPE\}!="([^"]+)"', rules)
    assert set(kinds.split("|")) == {"vfat", "exfat", "ext4"}
