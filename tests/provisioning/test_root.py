"""What the image's root holds and what it must not, before anything of it has run."""

import re
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import testinfra

USERS = {"allerac": 970, "allerac-engine": 971, "allerac-rescue": 972}
NOT_ON_BOARD = {
    *(
        "as",
        "c++",
        "cc",
        "clang",
        "cmake",
        "cpp",
        "g++",
        "gcc",
        "ld",
        "make",
        "ninja",
        "pip",
        "pip3",
    ),
    *("dracut", "grub-mkimage", "mkinitramfs", "nc", "telnetd", "tftp"),
}
OF_THE_BENCH = ("allerac_factory", "allerac_image", "allerac_release", "reportlab")
STARTED = (
    "NetworkManager.service",
    "allerac-boot-deadline.timer",
    "allerac-boot-environment.service",
    "allerac-certificate.path",
    "allerac-certificate.service",
    "allerac-certificate.timer",
    "allerac-console@tty1.service",
    "allerac-engine.socket",
    "allerac-prove.service",
    "allerac-rescue.service",
    "allerac-rescue.socket",
    "allerac-ssh-door.path",
    "allerac.service",
    "nftables.service",
    "nginx.service",
    "systemd-resolved.service",
    "systemd-timesyncd.service",
)
NEVER_STARTED = (
    "NetworkManager-wait-online.service",
    "apt-daily.timer",
    "getty@tty1.service",
    "serial-getty@ttyS0.service",
    "smartmontools.service",
    "ssh.service",
    "ssh.socket",
    "sshd.service",
    "systemd-networkd.service",
    "systemd-time-wait-sync.service",
)
SIGN_INS = (
    "etc/apt/auth.conf",
    "etc/apt/auth.conf.d/*",
    "etc/pip.conf",
    "root/.config/pip",
    "root/.docker",
    "root/.git-credentials",
    "root/.netrc",
    "root/.npmrc",
    "root/.pip",
    "root/.pypirc",
)
KEPT_WORDS = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----|\w+://[^\s/:@'\"]+:[^\s/@'\"]+@")
"""A private key, or an address with a name and a password in it."""


@pytest.fixture(scope="module")
def host(image_root: Path) -> Any:
    """The root as testinfra asks it: by commands of its own, in a chroot."""
    return testinfra.get_host(str(image_root), connection="chroot")


def _files(folder: Path) -> Iterator[tuple[Path, int]]:
    """Yield everything below `folder` that is no link, with its mode."""
    for path in folder.rglob("*"):
        mode = path.lstat().st_mode
        if not stat.S_ISLNK(mode):
            yield path, mode


@pytest.mark.parametrize(
    "package", ["nftables", "nginx", "network-manager", "openssh-server", "python3", "rauc"]
)
def test_what_the_services_need_is_on_board(host: Any, package: str) -> None:
    assert host.package(package).is_installed


def test_nothing_that_compiles_installs_or_makes_an_image_is_on_board(image_root: Path) -> None:
    folders = ("usr/bin", "usr/sbin", "usr/local/bin", "opt/allerac/venv/bin")
    found = {path.name for folder in folders for path in (image_root / folder).glob("*")}
    assert found & NOT_ON_BOARD == set()


def test_nothing_of_the_bench_is_on_board(image_root: Path) -> None:
    found = {path.name for path in image_root.rglob("*") if path.name.startswith(OF_THE_BENCH)}
    assert found == set()


@pytest.mark.parametrize(("name", "number"), USERS.items())
def test_services_run_as_users_with_fixed_ids_who_cannot_sign_in(
    host: Any, name: str, number: int
) -> None:
    user = host.user(name)
    assert (user.uid, user.gid) == (number, number)
    assert user.shell == "/usr/sbin/nologin"
    assert user.groups == [name]


def test_whoever_is_let_in_by_ssh_is_nobody_else_here(host: Any) -> None:
    user = host.user("helper")
    assert (user.uid, user.gid, user.groups) == (973, 973, ["helper"])


def test_nobody_can_sign_in_with_a_password(image_root: Path) -> None:
    lines = (image_root / "etc/shadow").read_text().splitlines()
    assert {line.split(":")[1] for line in lines} <= {"*", "!", "!*"}


@pytest.mark.parametrize("unit", STARTED)
def test_a_unit_starts_at_boot(host: Any, unit: str) -> None:
    assert host.run("systemctl is-enabled %s", unit).stdout.strip() == "enabled"


@pytest.mark.parametrize("unit", NEVER_STARTED)
def test_a_unit_cannot_start(host: Any, unit: str) -> None:
    assert host.run("systemctl is-enabled %s", unit).stdout.strip() in {"masked", "not-found", ""}


def test_nothing_waits_for_the_network_to_be_online(image_root: Path) -> None:
    system = image_root / "etc/systemd/system"
    assert list(system.glob("network-online.target.wants/*")) == []


def test_no_program_runs_as_somebody_else_than_who_starts_it(image_root: Path) -> None:
    found = [path for path, mode in _files(image_root) if stat.S_ISREG(mode) and mode & 0o6000]
    assert found == []


def test_only_folders_for_all_can_be_written_by_all(image_root: Path) -> None:
    found = {
        str(path.relative_to(image_root))
        for path, mode in _files(image_root)
        if mode & stat.S_IWOTH and not stat.S_ISCHR(mode) and not mode & stat.S_ISVTX
    }
    assert found == set()


def test_what_is_ours_belongs_to_root_and_can_be_read_by_the_services(image_root: Path) -> None:
    for path, mode in _files(image_root / "opt/allerac"):
        assert path.lstat().st_uid == 0, path
        assert mode & stat.S_IROTH, path
        assert not mode & (stat.S_IWGRP | stat.S_IWOTH), path


def test_every_box_makes_an_identity_of_its_own(image_root: Path) -> None:
    assert (image_root / "etc/machine-id").read_bytes() == b""
    assert not (image_root / "var/lib/dbus/machine-id").is_file()
    assert list((image_root / "etc/ssh").glob("ssh_host_*")) == []
    assert not (image_root / "var/lib/systemd/random-seed").exists()
    assert not (image_root / "var/lib/NetworkManager/secret_key").exists()


def test_no_key_and_no_password_is_in_any_file_of_settings_or_state(image_root: Path) -> None:
    for name in ("etc", "home", "root", "srv", "var"):
        for path, mode in _files(image_root / name):
            if stat.S_ISREG(mode):
                assert not KEPT_WORDS.search(path.read_bytes()), path


def test_nobodys_access_to_a_registry_is_on_board(image_root: Path) -> None:
    for name in SIGN_INS:
        assert list(image_root.glob(name)) == [], name


def test_no_trace_of_where_it_was_made_is_left(image_root: Path) -> None:
    apt = image_root / "etc/apt"
    assert not (apt / "sources.list").exists()
    assert list((apt / "sources.list.d").glob("*")) == []
    assert list((image_root / "var/lib/apt/lists").glob("*_*")) == []
    assert not (image_root / "usr/sbin/policy-rc.d").exists()
    assert not (image_root / "opt/allerac/wheels").exists()
    assert list((image_root / "root/.ssh").glob("*")) == []
    for name in ("root/.ansible", "root/.cache", "tmp/.ansible"):
        assert not (image_root / name).exists()


def test_allerac_and_its_engine_can_be_loaded(host: Any) -> None:
    python = "/opt/allerac/venv/bin/python -P -c"
    assert host.run("/opt/allerac/venv/bin/allerac --version").rc == 0
    loaded = host.run(f"GGML_NO_BACKTRACE=1 {python} 'import llama_cpp, pysqlite3, numpy'")
    assert loaded.rc == 0, loaded.stderr


def test_time_does_not_begin_before_debian_13(image_root: Path) -> None:
    released = datetime(2025, 8, 9, tzinfo=UTC)
    made = datetime.fromtimestamp((image_root / "usr/lib/clock-epoch").stat().st_mtime, UTC)
    assert released <= made <= datetime.now(UTC)


def test_the_journal_leaves_the_disk_to_the_household(host: Any) -> None:
    told = host.check_output("systemd-analyze cat-config systemd/journald.conf")
    settings = dict(re.findall(r"^(\w+)=(\S+)$", told, re.MULTILINE))
    assert settings["Storage"] == "persistent"
    assert settings["SystemMaxUse"] == "200M"
    assert settings["SystemKeepFree"] == "500M"


def test_the_hardware_restarts_a_box_whose_service_manager_is_stuck(
    host: Any, image_root: Path
) -> None:
    told = host.check_output("systemd-analyze cat-config systemd/system.conf")
    settings = dict(re.findall(r"^(\w+)=(\S+)$", told, re.MULTILINE))
    assert settings["RuntimeWatchdogSec"] == "60s"
    driver = (image_root / "etc/modules-load.d/allerac-watchdog.conf").read_text().strip()
    assert list(image_root.glob(f"usr/lib/modules/*/kernel/drivers/watchdog/{driver}.ko*"))
