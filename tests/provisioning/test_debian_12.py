"""A Debian 12 that knows nothing of Allerac becomes one by `make install`: over SSH, or there."""

import dataclasses
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from allerac_image.install import plan_for
from allerac_image.log import StepLog
from allerac_image.mirror import find_repositories, source_lines
from allerac_image.plan import REPOSITORY
from allerac_image.wheelhouse import DEBIAN_12, prepare_wheelhouse
from bootstrap.steps import cache_folder
from tests.provisioning.apt_gateway import apt_gateway
from tests.provisioning.conftest import PLAY_SECONDS
from tests.provisioning.own_system import ENVIRONMENT, OwnSystem, running_system
from tests.provisioning.visits import changes, status_of

pytestmark = [pytest.mark.matrix, pytest.mark.timeout(PLAY_SECONDS)]

SUITES = {"Debian": ["bookworm", "bookworm-updates"]}
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
PACKAGES = ["dbus", "git", "kmod", "openssh-server", "procps", "python3", "systemd-sysv", "udev"]
INSTALL = [sys.executable, "-m", "allerac_image", "install", "--tier", "vm"]
SSH = """#!/bin/sh
exec nsenter --net={network} /usr/bin/ssh -i {key} -o IdentitiesOnly=yes -o BatchMode=yes \\
    -o StrictHostKeyChecking=no -o UserKnownHostsFile={known} "$@"
"""
"""In place of ssh: as its owner would say it in ~/.ssh/config, and from within the network."""


@dataclass(frozen=True, slots=True)
class Bare:
    """A root that nothing has run in, and the key with which its owner may sign in."""

    root: Path
    key: Path


def _ask(words: list[str]) -> str:
    return subprocess.run(words, capture_output=True, text=True, check=True, timeout=60).stdout


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Bare:
    """A Debian 12; each system that runs it has a copy of its own."""
    if os.geteuid() != 0:
        pytest.skip("needs root, for a system of its own")
    made = Bare(
        tmp_path_factory.mktemp("debian-12") / "root", tmp_path_factory.mktemp("key") / "key"
    )
    repositories = find_repositories(lambda words: _ask([*words]), SUITES)
    options = ["--mode=root", "--variant=minbase", f"--include={','.join(PACKAGES)}"]
    subprocess.run(
        ["mmdebstrap", "--quiet", *options, "bookworm", str(made.root), "-"],  # noqa: S607 - found on PATH
        input=source_lines(repositories, ["main"], KEYRING),
        text=True,
        check=True,
        timeout=PLAY_SECONDS,
    )
    _ask(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(made.key)])
    folder = made.root / "root" / ".ssh"
    folder.mkdir(mode=0o700, exist_ok=True)
    (folder / "authorized_keys").write_bytes(made.key.with_suffix(".pub").read_bytes())
    return made


@contextmanager
def _running(bare: Bare, scratch: Path, shared: Sequence[Path] = ()) -> Iterator[OwnSystem]:
    """Run it; it finds Debian's packages, and has our folders `shared` at their own places."""
    scratch.mkdir()
    with running_system(bare.root, scratch, shared=shared) as system, apt_gateway(system) as proxy:
        system.wait_for(("systemctl", "is-active", "ssh.service"), "active")
        system.ask("sh", "-c", f"echo '{proxy}' > /etc/apt/apt.conf.d/90proxy")
        yield system


def _done(command: Sequence[str], environment: dict[str, str]) -> str:
    """Run what `make install` runs in the repository, and return what it prints."""
    done = subprocess.run(
        command,
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=PLAY_SECONDS,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    return done.stdout


def test_a_debian_12_becomes_an_allerac_over_ssh_and_a_second_run_changes_nothing(
    bare: Bare, tmp_path: Path
) -> None:
    with _running(bare, tmp_path / "scratch") as machine:
        ssh = tmp_path / "bin" / "ssh"
        ssh.parent.mkdir()
        known = tmp_path / "known"
        ssh.write_text(SSH.format(network=machine.network, key=bare.key, known=known))
        ssh.chmod(0o755)
        path = f"{ssh.parent}:{os.environ['PATH']}"

        def install() -> str:
            return _done([*INSTALL, "--host", "root@127.0.0.1"], {**os.environ, "PATH": path})

        assert changes(install()) > 0
        assert status_of(machine)["claimed"] is False
        assert changes(install()) == 0
        assert machine.ask("systemctl", "--failed", "--plain", "--no-legend").strip() == ""


def test_a_debian_12_makes_an_allerac_of_itself_and_a_second_run_changes_nothing(
    bare: Bare, tmp_path: Path
) -> None:
    """Its owner has cloned the repository there, and `bootstrap` has prepared it."""
    plan = dataclasses.replace(plan_for("vm"), work=tmp_path / "packages")
    # Kept from now on: there is no way to anybody but Debian from in there.
    prepare_wheelhouse(plan, StepLog(tmp_path / "packages.log", None), DEBIAN_12)
    python = Path(sys.base_prefix)
    brought = [REPOSITORY, cache_folder(), *([python] if python != Path("/usr") else [])]
    with _running(bare, tmp_path / "scratch", shared=brought) as machine:
        enter = ["nsenter", f"--target={machine.pid}", "--all", "--root", "--wd=/"]
        home = {"HOME": str(Path.home())}

        def install() -> str:
            there = ["env", f"--chdir={REPOSITORY}", *INSTALL]
            return _done([*enter, *there], {**ENVIRONMENT, **home})

        assert changes(install()) > 0
        assert status_of(machine)["claimed"] is False
        assert changes(install()) == 0
        assert machine.ask("systemctl", "--failed", "--plain", "--no-legend").strip() == ""
