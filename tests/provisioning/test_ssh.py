"""SSH of a whole box: opened by its owner, used by OpenSSH's own client, and closed again."""

import asyncio
import re
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api.conftest import claim
from tests.provisioning.namespaces import inside, ip, join, network
from tests.provisioning.own_system import OwnSystem, running_system
from tests.provisioning.test_rescue import CLAIM_CODE

OWN_ADDRESS = "169.254.7.7"
PATIENCE_SECONDS = 120.0
UNITS_FAILED = ("systemctl", "list-units", "--failed", "--no-legend", "--plain")
REFUSED = 255
"""ssh(1), for whatever went wrong before the command began."""


def _until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.2)


@dataclass(frozen=True, slots=True)
class Helped:
    """A box, the network at the other end of its cable, and a helper there with a key."""

    box: OwnSystem
    neighbour: Path
    folder: Path
    owner: httpx.Client

    def ask(self, method: str, path: str, **body: object) -> Any:
        """Ask the box as its owner, and return what it tells."""
        with inside(self.box.network):
            answer = self.owner.request(method, f"/api/v1/box/ssh{path}", json=body or None)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def key(self, name: str) -> str:
        """Return the public key of a pair of that name, made when it is first asked for."""
        file = self.folder / name
        if not file.exists():
            words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(file)]
            subprocess.run(words, check=True, timeout=30)
        return file.with_suffix(".pub").read_text()

    def let_in(self) -> None:
        """Have the helper's key in the list."""
        if not self.ask("GET", "")["keys"]:
            self.ask("POST", "/keys", key=self.key("helper"))

    @property
    def address(self) -> str:
        """The box's own, on the cable."""
        shown = self.box.ask("ip", "-4", "-o", "address", "show", "dev", "lan0")
        found = re.search(r"inet ([\d.]+)", shown)
        return found[1] if found else ""

    def command(self, *words: str, key: str = "helper", user: str = "helper") -> list[str]:
        """Return how the helper signs in; `words` are options and a command."""
        known = self.folder / "known"
        options = [
            *("BatchMode=yes", "IdentitiesOnly=yes", "ConnectTimeout=20"),
            *("StrictHostKeyChecking=accept-new", f"UserKnownHostsFile={known}"),
        ]
        enter = ["nsenter", f"--net={self.neighbour}", "ssh", "-F", "none", "-i", self.folder / key]
        chosen = [word for option in options for word in ("-o", option)]
        return [*map(str, enter), *chosen, "-l", user, *words]

    def ssh(self, *words: str, **how: str) -> "subprocess.CompletedProcess[str]":
        """Sign in and do `words`, the last of which is a command of the box."""
        *options, command = words
        line = self.command(*options, self.address, command, **how)
        return subprocess.run(line, capture_output=True, text=True, timeout=120, check=False)

    def is_reachable(self) -> bool:
        """Tell whether anything answers at port 22."""
        line = ["nsenter", f"--net={self.neighbour}", "bash", "-c"]
        knock = f"exec 3<>/dev/tcp/{self.address}/22 && read -r -t 5 hello <&3"
        try:
            return subprocess.run([*line, knock], timeout=3, check=False).returncode == 0
        except subprocess.TimeoutExpired:
            return False

    @contextmanager
    def signed_in(self, before: str = "true") -> "Iterator[subprocess.Popen[str]]":
        """Somebody who has signed in and, after `before`, does something that goes on."""
        line = self.command(self.address, f"echo here; {before}; sleep 1000")
        session = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            assert session.stdout is not None
            assert session.stdout.readline() == "here\n"
            yield session
        finally:
            with suppress(ProcessLookupError):
                session.kill()
            session.communicate()


def _claimed(box: OwnSystem) -> httpx.Client:
    """Go through the wizard, and return the owner's browser."""
    _until(lambda: CLAIM_CODE.search(box.screen.read_text()))
    code = CLAIM_CODE.search(box.screen.read_text())
    assert code is not None

    async def finish() -> httpx.Cookies:
        async with httpx.AsyncClient(base_url="http://127.0.0.1", timeout=60) as client:
            await claim(client, code[1])
            return client.cookies

    with inside(box.network):
        cookies = asyncio.run(finish())
    limits = httpx.Limits(max_keepalive_connections=0)
    return httpx.Client(base_url="http://127.0.0.1", timeout=120, cookies=cookies, limits=limits)


@pytest.fixture(scope="module")
def helped(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Helped]:
    folder = tmp_path_factory.mktemp("helper")
    with (
        running_system(root, tmp_path_factory.mktemp("system")) as box,
        network("helper") as neighbour,
    ):
        units = ("allerac.service", "nginx.service", "nftables.service")
        box.wait_for(("systemctl", "is-active", *units), "\n".join(["active"] * len(units)))
        join(neighbour, str(box.pid), "lan0")
        ip("-n", neighbour.name, "addr", "add", f"{OWN_ADDRESS}/16", "dev", "lan0")
        with _claimed(box) as owner:
            made = Helped(box, neighbour, folder, owner)
            _until(lambda: made.address.startswith("169.254."))
            yield made


@pytest.fixture
def opened(helped: Helped) -> Iterator[Helped]:
    """Opened for an hour, with the helper's key."""
    helped.let_in()
    told = helped.ask("POST", "/open", hours=1)
    assert told["open_until"] is not None
    yield helped
    helped.ask("POST", "/close")


def test_before_anybody_opens_it_there_is_neither_a_service_nor_a_host_key(helped: Helped) -> None:
    assert not helped.is_reachable()
    assert helped.box.ask("systemctl", "list-units", "--plain", "--no-legend", "ssh*") == ""
    assert "ssh" not in helped.box.ask("ss", "-Hlxtnp")
    assert helped.box.ask("ls", "-A", "/data/ssh") == ""
    assert helped.ask("GET", "")["host_key"] is None


def test_with_a_key_one_signs_in_and_the_host_is_the_one_that_the_owner_sees(
    opened: Helped,
) -> None:
    told = opened.ssh("id -un; id -Gn; pwd")
    assert told.stdout.splitlines() == ["helper", "helper systemd-journal", "/run/allerac-ssh-home"]
    told = subprocess.run(
        ["/usr/bin/ssh-keygen", "-l", "-f", opened.folder / "known"],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    assert {line.split()[1] for line in told.stdout.splitlines()} == {
        opened.ask("GET", "")["host_key"]
    }


def test_a_terminal_and_files_to_take_along_are_there(opened: Helped) -> None:
    told = opened.ssh("-tt", "tty; exit")
    assert "/dev/pts/" in told.stdout, told.stdout + told.stderr
    line = opened.command("-s", opened.address, "sftp")
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as sftp:
        assert sftp.stdin is not None
        assert sftp.stdout is not None
        sftp.stdin.write(bytes([0, 0, 0, 5, 1, 0, 0, 0, 3]))  # draft-ietf-secsh-filexfer-02, 4
        sftp.stdin.flush()
        assert sftp.stdout.read(9)[4:] == bytes([2, 0, 0, 0, 3])
        sftp.stdin.close()


@pytest.mark.parametrize("options", [{"key": "stranger"}, {"user": "root"}, {"user": "allerac"}])
def test_another_key_or_another_user_is_not_let_in(opened: Helped, options: dict[str, str]) -> None:
    opened.key("stranger")
    told = opened.ssh("true", **options)
    assert told.returncode == REFUSED
    assert "Permission denied (publickey)" in told.stderr


def test_there_is_no_password_to_try(opened: Helped) -> None:
    told = opened.ssh("-o", "PubkeyAuthentication=no", "true")
    assert told.returncode == REFUSED
    assert "Permission denied (publickey)" in told.stderr


def test_whoever_is_let_in_reads_the_log_and_sees_the_system(opened: Helped) -> None:
    assert (
        "SSH for 3600 seconds" in opened.ssh("journalctl -o cat -u allerac-ssh@3600.service").stdout
    )
    assert opened.ssh("systemctl is-active allerac.service").stdout == "active\n"
    assert "VERSION" in opened.ssh("cat /etc/os-release").stdout


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("touch /etc/changed", "Read-only file system"),
        ("touch /var/lib/changed", "Read-only file system"),
        ("touch /run/allerac-ssh/wish", "denied"),
        ("ls /data/allerac", "No such file"),
        ("ls /identity", "denied"),
        ("ls /run/allerac", "denied"),
        ("cat /etc/shadow", "denied"),
        ("systemctl --no-ask-password restart allerac.service", "Access denied"),
        ("systemctl --no-ask-password reboot", "Access denied"),
        ("/usr/sbin/nft list ruleset", "not supported"),
        ("nmcli networking off", "Not authorized"),
        ("hostnamectl set-hostname theirs", "Access denied"),
        ("timedatectl set-time 2020-01-01", "Access denied"),
        (
            "busctl call de.pengutronix.rauc / de.pengutronix.rauc.Installer Mark ss good booted",
            "Access denied",
        ),
        ("unshare --user true", "Operation not permitted"),
    ],
)
def test_whoever_is_let_in_changes_nothing_and_sees_nothing_of_the_household(
    opened: Helped, command: str, reason: str
) -> None:
    told = opened.ssh(command)
    assert told.returncode not in {0, REFUSED}
    assert reason in told.stderr


def test_from_there_nobody_else_is_reached(opened: Helped) -> None:
    call = f"timeout 5 bash -c 'exec 3<>/dev/tcp/{OWN_ADDRESS}/8443'"
    with inside(opened.neighbour):
        listener = socket.create_server((OWN_ADDRESS, 8443))
    with listener:
        listener.settimeout(8)
        assert opened.ssh(call).returncode != 0
        with pytest.raises(TimeoutError):
            listener.accept()
    line = opened.command("-W", "127.0.0.1:80", opened.address)
    told = subprocess.run(line, capture_output=True, text=True, timeout=60, check=False)
    assert "prohibited" in told.stderr


def test_a_runtime_that_starts_again_knows_that_it_is_open(opened: Helped) -> None:
    before = opened.ask("GET", "")["open_until"]
    opened.box.ask("systemctl", "restart", "allerac.service")
    opened.box.wait_for(("systemctl", "is-active", "allerac.service"), "active")
    told: dict[str, Any] = {}

    def is_back() -> bool:
        with suppress(AssertionError, httpx.HTTPError):
            told.update(opened.ask("GET", ""))
        return bool(told)

    _until(is_back)
    assert told["open_until"][:15] == before[:15]  # to ten minutes
    assert opened.ssh("true").returncode == 0


def test_closing_ends_what_is_going_on_and_lets_nobody_in(helped: Helped) -> None:
    helped.let_in()
    helped.ask("POST", "/open", hours=24)
    with helped.signed_in() as session:
        helped.ask("POST", "/close")
        assert session.wait(PATIENCE_SECONDS) == REFUSED
    assert not helped.is_reachable()
    assert helped.ask("GET", "")["open_until"] is None
    assert helped.box.ask("pgrep", "--uid", "helper").strip() == ""
    assert [event["act"] for event in helped.ask("GET", "")["events"][:2]] == ["closed", "opened"]
    assert helped.box.ask(*UNITS_FAILED) == ""


@pytest.mark.parametrize("seconds", [3600, 28800, 86400])
def test_the_service_ends_when_the_firewalls_entry_does(helped: Helped, seconds: int) -> None:
    name = f"allerac-ssh@{seconds}.service"
    told = helped.box.ask("systemctl", "show", "--value", "--property=RuntimeMaxUSec", name)
    hours = {3600: "1h", 28800: "8h", 86400: "1d"}
    assert told.strip() == hours[seconds]


def test_it_ends_by_itself_whatever_is_done_there_against_it(helped: Helped) -> None:
    """As the door does it, but for seconds instead of hours."""
    unit = "allerac-ssh@15.service"
    for where, text in (
        ("/run/allerac-ssh/authorized_keys", helped.key("helper")),
        (f"/run/systemd/system/{unit}.d/60-end.conf", "[Service]\nRuntimeMaxSec=15\n"),
    ):
        keep = 'mkdir -p "$(dirname "$1")"; printf "%s" "$0" > "$1"'
        helped.box.ask("sh", "-c", keep, text, where)
    helped.box.ask("systemctl", "daemon-reload")
    helped.box.ask("systemctl", "start", unit)
    helped.box.ask("nft", "add", "element", "inet", "allerac", "opened", "{ 22 timeout 15s }")
    # Nobody listens to signals any more, nor does the part that would have to end the others.
    with helped.signed_in("trap '' TERM HUP; pkill -STOP -o sshd") as session:
        assert session.wait(PATIENCE_SECONDS) == REFUSED
    _until(lambda: not helped.is_reachable())
    helped.box.wait_for(("systemctl", "is-active", unit), "inactive")
    assert "22" not in helped.box.ask("nft", "list", "set", "inet", "allerac", "opened")
    assert helped.box.ask("pgrep", "--uid", "helper").strip() == ""
    assert helped.box.ask(*UNITS_FAILED) == ""


@pytest.mark.parametrize("wish", ["", "1", "3601", "-1", "3600; reboot", "$(reboot)", "999999999"])
def test_nothing_opens_for_another_time(helped: Helped, wish: str) -> None:
    helped.box.ask("sh", "-c", 'printf "%s\\n" "$0" > /run/allerac-ssh/wish', wish)
    _until(
        lambda: (
            helped.box.property("allerac-ssh-door.service", "ActiveState") in {"failed", "inactive"}
        )
    )
    assert not helped.is_reachable()
    assert helped.box.ask("pgrep", "--uid", "helper").strip() == ""
    helped.box.ask("systemctl", "reset-failed", "allerac-ssh-door.service")


def test_a_host_key_that_was_cut_off_is_made_anew(helped: Helped) -> None:
    helped.ask("POST", "/close")
    helped.box.ask("sh", "-c", "> /data/ssh/host_key")
    (helped.folder / "known").unlink(missing_ok=True)
    helped.let_in()
    helped.ask("POST", "/open", hours=8)
    assert helped.ssh("true").returncode == 0
    assert helped.box.ask("stat", "--format=%a %U", "/data/ssh/host_key").strip() == "600 helper"
    helped.ask("POST", "/close")
