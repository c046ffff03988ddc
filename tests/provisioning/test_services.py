"""All services as the box starts them, in their sandboxes, under the target's own systemd."""

import http.client
import json
import os
import re
import signal
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.provisioning.namespaces import inside
from tests.provisioning.own_system import OwnSystem, running_system

OURS = ("allerac.service", "allerac-engine.socket", "nginx.service")
UNITS_FAILED = ("systemctl", "list-units", "--failed", "--no-legend", "--plain")
PATIENCE_SECONDS = 60.0
WORKERS = 2
WISH = ("sh", "-c", "echo > /run/allerac/end-installer")
CLAIM_CODE = re.compile(r"[Cc]laim code:?\s+\S*[0-9A-Z]{4}-[0-9A-Z]{4}")


@pytest.fixture(scope="module")
def box(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnSystem]:
    """A box that has been given power for the first time, without any network."""
    with running_system(root, tmp_path_factory.mktemp("system")) as system:
        system.wait_for(("systemctl", "is-active", *OURS), "\n".join(["active"] * len(OURS)))
        yield system


def _ask(box: OwnSystem, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", timeout=PATIENCE_SECONDS)
    with inside(box.network):
        connection.sock = socket.create_connection(("127.0.0.1", 80), PATIENCE_SECONDS)
    with closing(connection):
        connection.request("GET", path, headers={"Accept": "text/html"})
        with connection.getresponse() as answer:
            return answer.status, answer.read()


def _until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def _processes(box: OwnSystem, user: int) -> list[Path]:
    """Return the folders in /proc of the processes of `user` in the box."""
    group = Path(f"/proc/{box.pid}/ns/cgroup").readlink()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(FileNotFoundError, ProcessLookupError):  # it ended meanwhile
            if folder.stat().st_uid == user and (folder / "ns/cgroup").readlink() == group:
                found.append(folder)
    return found


def _name(process: Path) -> str:
    return (process / "comm").read_text().strip()


def test_no_unit_fails_and_no_two_wait_for_each_other(box: OwnSystem) -> None:
    box.wait_for(("systemctl", "is-active", "multi-user.target"), "active")
    assert box.ask(*UNITS_FAILED) == "", box.ask("journalctl", "-b", "-p", "notice", "--no-pager")
    assert "ordering cycle" not in box.ask("journalctl", "-b", "--no-pager")


def test_people_reach_the_wizard_and_the_api_through_nginx(box: OwnSystem) -> None:
    status, page = _ask(box, "/")
    assert status == 200
    assert b"<title>Allerac" in page
    status, body = _ask(box, "/api/v1/status")
    told: dict[str, Any] = json.loads(body)
    assert status == 200
    assert told["claimed"] is False


def _shown_certificate(box: OwnSystem) -> bytes | None:
    """Return what nginx shows, which has to be of the box's own authority; without one, nothing."""
    context = ssl.create_default_context(cadata=box.ask("cat", "/data/allerac/tls/ca.crt"))
    try:
        with inside(box.network):
            raw = socket.create_connection(("127.0.0.1", 443), PATIENCE_SECONDS)
    except ConnectionRefusedError:
        return None
    with raw, context.wrap_socket(raw, server_hostname="allerac.local") as secure:
        return secure.getpeercert(binary_form=True) or b""


def test_https_is_there_from_the_first_start_and_a_new_certificate_is_shown_at_once(
    box: OwnSystem,
) -> None:
    assert _shown_certificate(box) is not None
    _renew_certificate(box)
    assert box.ask(*UNITS_FAILED) == ""


@pytest.fixture
def slow_reload(box: OwnSystem) -> Iterator[None]:
    """An nginx that takes five more seconds over what it reads."""
    folder = "/run/systemd/system/nginx.service.d"
    box.ask("mkdir", folder)
    more = "[Service]\\nExecReload=/usr/bin/sleep 5\\n"
    box.ask("sh", "-c", f"printf '{more}' > {folder}/slow.conf; systemctl daemon-reload")
    yield
    box.ask("sh", "-c", f"rm -r {folder}; systemctl daemon-reload")
    _until(lambda: box.property("nginx.service", "ActiveState") == "active")


@pytest.mark.usefixtures("slow_reload")
def test_a_certificate_that_changes_while_nginx_reads_another_is_shown_too(box: OwnSystem) -> None:
    for _ in range(2):
        _renew_certificate(box)
        assert box.property("nginx.service", "ActiveState") == "reloading"


def _renew_certificate(box: OwnSystem) -> None:
    """Have a new certificate made, and wait until people are shown it."""
    shown = _shown_certificate(box)
    box.ask("rm", "/data/allerac/tls/box.crt")
    box.ask("systemctl", "start", "allerac-certificate.service")
    _until(lambda: _shown_certificate(box) not in (None, shown))


def test_the_engine_has_neither_network_nor_secrets(box: OwnSystem) -> None:
    (engine,) = _processes(box, user=971)
    assert (engine / "ns/net").readlink() != box.network.readlink()
    seen = engine / "root"
    assert {path.name for path in (seen / "data").iterdir()} == {"allerac"}
    assert {path.name for path in (seen / "data/allerac").iterdir()} == {"models"}
    assert list((seen / "run/allerac").glob("*")) == []
    assert list((seen / "etc/allerac").glob("*")) == []


def test_an_engine_that_is_killed_is_replaced_and_leaves_no_failed_unit(box: OwnSystem) -> None:
    (engine,) = _processes(box, user=971)
    os.kill(int(engine.name), signal.SIGKILL)
    _until(lambda: {path.name for path in _processes(box, user=971)} - {engine.name})
    _until(lambda: _ask(box, "/readyz")[0] == 200)
    assert box.ask(*UNITS_FAILED) == ""


def test_a_runtime_that_is_killed_comes_back_and_nginx_stays(box: OwnSystem) -> None:
    front = box.property("nginx.service", "MainPID")
    box.ask("systemctl", "kill", "--signal=SIGKILL", "allerac.service")
    _until(lambda: box.property("allerac.service", "NRestarts") == "1")
    _until(lambda: _ask(box, "/api/v1/status")[0] == 200)
    assert box.property("nginx.service", "MainPID") == front


def test_an_installer_that_hears_nothing_is_ended_when_the_runtime_wishes_it(
    box: OwnSystem,
) -> None:
    words = ("busctl", "--timeout=20", "get-property", "de.pengutronix.rauc", "/")
    asked = (*words, "de.pengutronix.rauc.Installer", "Operation")
    box.wait_for(asked, 's "idle"')
    seen = {box.property("rauc.service", "MainPID")}
    for _ in range(2):
        box.ask("systemctl", "kill", "--signal=STOP", "rauc.service")
        box.ask("setpriv", "--reuid=970", "--regid=970", "--clear-groups", *WISH)
        _until(lambda: box.property("rauc.service", "MainPID") not in seen)
        box.wait_for(asked, 's "idle"')
        seen.add(box.property("rauc.service", "MainPID"))
    box.ask("systemctl", "reset-failed", "rauc.service")


def test_files_of_the_runtime_are_nobody_elses(box: OwnSystem) -> None:
    modes = box.ask("find", "/data/allerac", "-maxdepth", "1", "-printf", "%f %m %U\n").splitlines()
    found = {name: (mode, owner) for name, mode, owner in (line.split() for line in modes)}
    assert found.pop("allerac") == ("711", "970")
    assert found.pop("models") == ("755", "970")
    assert found.pop("watched") == ("2770", "970")  # whoever administers the box puts files there
    for name, (mode, owner) in found.items():
        assert owner == "970", name
        assert mode.endswith("00") or name == "tls", (name, mode)


def test_of_the_keys_nginx_reads_only_its_own(box: OwnSystem) -> None:
    told = box.ask("find", "/data/allerac/tls", "-name", "*.key", "-printf", "%f %m %u %g\n")
    assert sorted(told.splitlines()) == [
        "box.key 640 allerac www-data",
        "ca.key 600 allerac www-data",
    ]
    names = [_name(process) for process in _processes(box, user=33)]
    assert names == ["nginx"] * (1 + WORKERS)


def test_the_system_proves_itself_and_the_boot_environment_says_so(box: OwnSystem) -> None:
    box.wait_for(("systemctl", "is-active", "allerac-prove.service"), "active")
    block = box.ask("grub-editenv", "/efi/EFI/BOOT/grubenv", "list").splitlines()
    assert {"ORDER=A B", "A_OK=1", "A_TRY=0"} <= set(block)
    assert f"MACHINE_ID={box.ask('cat', '/etc/machine-id').strip()}" in block


def test_the_screen_shows_where_the_box_is_and_the_code_that_claims_it(box: OwnSystem) -> None:
    _until(lambda: CLAIM_CODE.search(box.screen.read_text()))
    assert "No network yet" in box.screen.read_text()
