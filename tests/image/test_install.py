"""`install` up to the roles: for which system, where, and with what they are told."""

import argparse
import dataclasses
import json
import os
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


SSH = """#!{python}
import sys
match sys.argv[3:]:
    case ["id", "-u"]:
        print({user})
    case ["sudo", "-n", "true"]:
        sys.exit(0 if {may_become_root} else "sudo: a password is required")
    case _:
        sys.exit("No route to host")
"""
"""In place of ssh: a machine on which one is `user`, and whose system cannot be asked for."""


def _with_this_ssh(
    monkeypatch: pytest.MonkeyPatch, folder: Path, *, user: int = 0, may_become_root: bool = False
) -> None:
    ssh = folder / "ssh"
    ssh.write_text(SSH.format(python=sys.executable, user=user, may_become_root=may_become_root))
    ssh.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")


def test_says_when_the_machine_does_not_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _with_this_ssh(monkeypatch, tmp_path)
    with pytest.raises(ImageError, match="kitchen did not answer: No route to host"):
        install.run(options("--host", "kitchen"))


def test_nobody_but_root_makes_an_allerac_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(BadInput, match="sudo make install"):
        install.must_become_root("")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert not install.must_become_root("")


@pytest.mark.parametrize(("user", "becomes_root"), [(0, False), (1000, True)])
def test_who_is_not_root_there_becomes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, user: int, becomes_root: bool
) -> None:
    _with_this_ssh(monkeypatch, tmp_path, user=user, may_become_root=True)
    assert install.must_become_root("ana@kitchen") is becomes_root


def test_who_cannot_become_root_there_is_told_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _with_this_ssh(monkeypatch, tmp_path, user=1000)
    with pytest.raises(BadInput, match=r"ana@kitchen may not use sudo .* HOST=root@machine"):
        install.must_become_root("ana@kitchen")
