"""`install` up to the roles: for which system, where, and with what they are told."""

import argparse
import dataclasses
import json
import sys
from pathlib import Path

import pytest

from allerac_image import install
from allerac_image.errors import BadInput, ImageError
from allerac_image.plan import Plan
from allerac_image.wheelhouse import DEBIAN_12, DEBIAN_13, Target


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    return dataclasses.replace(install.plan_for("vm"), work=tmp_path)


def options(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    install.add_arguments(parser)
    return parser.parse_args(words)


@pytest.mark.parametrize(("version", "target"), [("12", DEBIAN_12), ("13", DEBIAN_13)])
def test_each_debian_gets_packages_for_its_own_python(version: str, target: Target) -> None:
    release = f'PRETTY_NAME="Debian GNU/Linux {version}"\nID=debian\nVERSION_ID="{version}"\n'
    assert install.target_of(release) == target


@pytest.mark.parametrize(
    "release", ['ID=debian\nVERSION_ID="11"\n', 'ID=ubuntu\nVERSION_ID="13"\n', ""]
)
def test_refuses_any_other_system(release: str) -> None:
    with pytest.raises(BadInput, match="Debian 12 and 13"):
        install.target_of(release)


def test_the_roles_are_told_that_it_is_a_machine(plan: Plan) -> None:
    command = install.play(plan, "ana@kitchen")
    told = json.loads((plan.work / "variables.json").read_text())
    assert told["target"] == "machine"
    assert told["profile"]["id"] == told["tier"] == "vm"
    assert command[1:3] == ["-i", "ana@kitchen,"]
    assert "local" not in command


def test_without_a_host_it_is_this_machine(plan: Plan) -> None:
    assert install.play(plan, "")[1:5] == ["-i", "localhost,", "-c", "local"]


@pytest.mark.parametrize("host", ["-oProxyCommand=reboot", "a;b", "a b", "@x", "x@"])
def test_refuses_what_is_no_machines_name(host: str) -> None:
    with pytest.raises(BadInput, match="no machine's name"):
        install.run(options(f"--host={host}"))


def test_refuses_a_tier_that_there_is_not() -> None:
    with pytest.raises(BadInput, match="toaster"):
        install.run(options("--tier", "toaster"))


def test_says_when_the_machine_does_not_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ssh = tmp_path / "ssh"
    ssh.write_text(f"#!{sys.executable}\nimport sys\nsys.exit('No route to host')\n")
    ssh.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    with pytest.raises(ImageError, match="kitchen did not answer: No route to host"):
        install.run(options("--host", "kitchen"))
