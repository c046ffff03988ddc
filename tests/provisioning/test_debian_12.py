"""A Debian 12 that knows nothing of Allerac becomes one over SSH, as `make install` does it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from allerac_image.mirror import find_repositories, source_lines
from allerac_image.plan import REPOSITORY
from tests.provisioning.apt_gateway import apt_gateway
from tests.provisioning.conftest import PLAY_SECONDS
from tests.provisioning.own_system import OwnSystem, running_system
from tests.provisioning.visits import changes, status_of

pytestmark = [pytest.mark.matrix, pytest.mark.timeout(PLAY_SECONDS)]

SUITES = {"Debian": ["bookworm", "bookworm-updates"]}
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
PACKAGES = ["dbus", "kmod", "openssh-server", "procps", "python3", "systemd-sysv", "udev"]
SSH = """#!/bin/sh
exec nsenter --net={network} /usr/bin/ssh -i {key} -o IdentitiesOnly=yes -o BatchMode=yes \\
    -o StrictHostKeyChecking=no -o UserKnownHostsFile={known} "$@"
"""
"""In place of ssh: as its owner would say it in ~/.ssh/config, and from within the network."""


def _ask(words: list[str]) -> str:
    return subprocess.run(words, capture_output=True, text=True, check=True, timeout=60).stdout


def _bare_root(root: Path, key: Path) -> None:
    """Make a Debian 12 whose owner may sign in with `key`."""
    repositories = find_repositories(lambda words: _ask([*words]), SUITES)
    options = ["--mode=root", "--variant=minbase", f"--include={','.join(PACKAGES)}"]
    subprocess.run(
        ["mmdebstrap", "--quiet", *options, "bookworm", str(root), "-"],  # noqa: S607 - found on PATH
        input=source_lines(repositories, ["main"], KEYRING),
        text=True,
        check=True,
        timeout=PLAY_SECONDS,
    )
    _ask(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)])
    folder = root / "root" / ".ssh"
    folder.mkdir(mode=0o700, exist_ok=True)
    (folder / "authorized_keys").write_bytes(key.with_suffix(".pub").read_bytes())


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnSystem]:
    """Such a Debian, running, which finds Debian's packages and whose owner has an `ssh` for it."""
    if os.geteuid() != 0:
        pytest.skip("needs root, for a system of its own")
    folder = tmp_path_factory.mktemp("debian-12")
    root, scratch, key = folder / "root", folder / "scratch", folder / "key"
    _bare_root(root, key)
    scratch.mkdir()
    with running_system(root, scratch) as system, apt_gateway(system) as proxy:
        system.wait_for(("systemctl", "is-active", "ssh.service"), "active")
        system.ask("sh", "-c", f"echo '{proxy}' > /etc/apt/apt.conf.d/90proxy")
        ssh = folder / "bin" / "ssh"
        ssh.parent.mkdir()
        ssh.write_text(SSH.format(network=system.network, key=key, known=folder / "known"))
        ssh.chmod(0o755)
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("PATH", str(ssh.parent), prepend=":")
            yield system


def _install() -> str:
    """Do what `make install HOST=root@127.0.0.1 TIER=vm` does and return what it prints."""
    command = [sys.executable, "-m", "allerac_image", "install", "--tier", "vm"]
    done = subprocess.run(
        [*command, "--host", "root@127.0.0.1"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
        timeout=PLAY_SECONDS,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    return done.stdout


def test_a_debian_12_becomes_an_allerac_over_ssh_and_a_second_run_changes_nothing(
    machine: OwnSystem,
) -> None:
    assert changes(_install()) > 0
    assert status_of(machine)["claimed"] is False
    assert changes(_install()) == 0
    assert machine.ask("systemctl", "--failed", "--plain", "--no-legend").strip() == ""
