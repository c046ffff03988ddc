"""The runtime as a unit on the box: a Unix socket for the proxy, and systemd that listens."""

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from allerac.appliance.view import FILE_NAME, read_view
from tests.running_unit import SOCKET_NAME, START_SECONDS, Unit, running_unit

CLAIM = "/api/v1/onboarding/claim"


@pytest.fixture
def unit(tmp_path: Path) -> Iterator[Unit]:
    (tmp_path / SOCKET_NAME).write_text("left behind by a power cut")
    with running_unit(tmp_path, ALLERAC_ANNOUNCE="false") as unit:
        yield unit


def test_only_owner_and_group_may_open_the_socket(unit: Unit) -> None:
    assert stat.S_IMODE(unit.path.stat().st_mode) == 0o660


def test_host_is_checked_behind_the_proxy_too(unit: Unit) -> None:
    with unit.proxy() as client:
        assert client.get("/healthz").status_code == 200
        assert client.get("/healthz", headers={"Host": "evil.test"}).status_code == 421


def test_guesses_are_counted_for_the_address_that_the_proxy_names(unit: Unit) -> None:
    body = {"code": "AAAA-AAAA"}
    with unit.proxy() as client:
        guesses = [
            client.post(
                CLAIM, json=body, headers={"X-Forwarded-For": f"10.0.0.{number}, 192.168.1.7"}
            ).status_code
            for number in range(6)
        ]
        other = client.post(CLAIM, json=body, headers={"X-Forwarded-For": "192.168.1.8"})
    assert guesses == [401] * 5 + [429]
    assert other.status_code == 401


def test_cookies_are_secure_when_the_browser_came_by_https(unit: Unit) -> None:
    body = {"code": (unit.data_dir / "secrets" / "claim-code").read_text()}
    with unit.proxy() as client:
        plain = client.post(CLAIM, json=body, headers={"X-Forwarded-Proto": "http"})
        safe = client.post(CLAIM, json=body, headers={"X-Forwarded-Proto": "https"})
    assert "Secure" not in plain.headers["set-cookie"]
    assert "Secure" in safe.headers["set-cookie"]


def test_watchdog_is_fed_and_the_end_is_told_without_the_claim_code(unit: Unit) -> None:
    code = (unit.data_dir / "secrets" / "claim-code").read_text()
    unit.wait_for("WATCHDOG=1")
    unit.process.send_signal(signal.SIGTERM)
    unit.wait_for("STOPPING=1")
    printed, _ = unit.process.communicate(timeout=START_SECONDS)
    assert code[:4] not in printed


def test_screen_and_proxy_get_what_they_need(unit: Unit) -> None:
    view_file = unit.path.with_name(FILE_NAME)
    key = unit.data_dir / "tls" / "box.key"
    end = time.monotonic() + START_SECONDS
    while not (view_file.exists() and key.exists()) and time.monotonic() < end:
        time.sleep(0.01)
    view = read_view(view_file)
    assert view is not None
    code = (unit.data_dir / "secrets" / "claim-code").read_text()
    assert view.claim_code == f"{code[:4]}-{code[4:]}"
    assert "allerac.local" in view.names
    assert stat.S_IMODE(view_file.stat().st_mode) == 0o600
    assert stat.S_IMODE(key.stat().st_mode) == 0o640
    unit.process.terminate()
    unit.process.wait(START_SECONDS)
    assert not view_file.exists()


def test_a_socket_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "runtime.sock"
    done = subprocess.run(
        [sys.executable, "-m", "allerac", "serve"],
        env={**os.environ, "ALLERAC_SOCKET": str(path), "ALLERAC_DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
        check=False,
    )
    assert done.returncode == 1
    assert str(path) in done.stderr
    assert "Traceback" not in done.stderr
