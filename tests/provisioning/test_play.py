"""The play as a whole: over the image's root again, and over a machine that runs."""

import dataclasses
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from allerac_image.debian import unpack_root
from allerac_image.log import clean_environment
from allerac_image.provision import STRATEGY, provision, role_variables, write_hosts
from tests.provisioning.conftest import Provisioned
from tests.provisioning.own_system import OwnSystem, running_system
from tests.provisioning.visits import changes, status_of


def test_a_second_run_over_the_image_changes_nothing(
    provisioned: Provisioned, tmp_path: Path
) -> None:
    again = provisioned.copy(tmp_path)
    assert changes(again.do(provision, "provision")) == 0


@dataclasses.dataclass(frozen=True, slots=True)
class Machine:
    """A Debian that runs, and the play for it."""

    provisioned: Provisioned
    system: OwnSystem
    scratch: Path

    def play(self) -> str:
        """Run the play as `make install` does and return what it prints."""
        plan = self.provisioned.plan
        into = ["/usr/bin/nsenter", f"--target={self.system.pid}", "--all", "--root", "--wd=/"]
        hosts = write_hosts(self.scratch, into)
        variables = {**role_variables(plan), "target": "machine"}
        done = subprocess.run(
            [plan.ansible, "-i", hosts, plan.playbook, "-e", json.dumps(variables)],
            env={
                **clean_environment(plan.epoch),
                **STRATEGY,
                "ANSIBLE_HOME": str(self.scratch / "ansible"),
            },
            cwd=plan.playbook.parent,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
        return done.stdout


@pytest.fixture(scope="module")
def machine(
    provisioned: Provisioned, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Machine]:
    """A Debian that knows nothing of Allerac; its packages were looked at just now."""
    work = tmp_path_factory.mktemp("machine")
    bare = Provisioned(dataclasses.replace(provisioned.plan, work=work))
    bare.do(unpack_root, "unpack")
    (bare.root / "var/lib/apt/lists").touch()
    scratch = work / "scratch"
    scratch.mkdir()
    with running_system(bare.root, scratch) as system:
        system.wait_for(("systemctl", "is-active", "multi-user.target"), "active")
        yield Machine(provisioned, system, scratch)


@pytest.mark.matrix
def test_a_debian_machine_becomes_an_allerac_and_a_second_run_changes_nothing(
    machine: Machine,
) -> None:
    assert changes(machine.play()) > 0
    assert status_of(machine.system)["claimed"] is False
    assert changes(machine.play()) == 0


@pytest.mark.matrix
def test_what_a_machine_had_of_its_own_is_left_alone(machine: Machine) -> None:
    """Its network, firewall, sign-in, clock and updates are its owner's."""
    ours = ("NetworkManager/conf.d/allerac.conf", "sysctl.d/90-allerac.conf", "rauc/system.conf")
    for name in ours:
        assert "No such file" in machine.system.ask("ls", f"/etc/{name}")
    assert machine.system.property("ssh.service", "LoadState") in {"loaded", "not-found"}
    assert machine.system.property("getty@tty1.service", "LoadState") == "loaded"
