"""A box starts without any network and without waiting for one."""

import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from allerac.appliance.view import FILE_NAME, BoxView, read_view
from tests.running_unit import Unit, running_unit

pytestmark = pytest.mark.slow

ADDRESS = "10.77.1.20"
SECONDS = 60
ALONE = ("unshare", "--net")
"""A network namespace of its own, in which not even the loopback is up."""


def until(claim: Callable[[], bool]) -> None:
    """Wait for `claim`; fails the test after `SECONDS`."""
    end = time.monotonic() + SECONDS
    while not claim():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def view_of(unit: Unit) -> BoxView | None:
    return read_view(unit.path.with_name(FILE_NAME))


def plug_in(unit: Unit) -> None:
    """Give the box a link with an address."""
    inside = ("nsenter", "--target", str(unit.process.pid), "--net", "ip")
    for words in (
        ("link", "add", "eth0", "type", "veth", "peer", "name", "switch"),
        ("link", "set", "switch", "up"),
        ("addr", "add", f"{ADDRESS}/24", "dev", "eth0"),
        ("link", "set", "eth0", "up"),
    ):
        subprocess.run([*inside, *words], check=True, capture_output=True, timeout=10)


def test_box_without_any_network_is_set_up_when_one_comes(tmp_path: Path) -> None:
    if any(shutil.which(tool) is None for tool in ("unshare", "nsenter", "ip")):
        pytest.skip("needs unshare, nsenter and ip: apt install util-linux iproute2")
    if subprocess.run([*ALONE, "true"], check=False, capture_output=True).returncode != 0:
        pytest.skip("network namespaces are not allowed")
    with running_unit(tmp_path, ALONE) as unit, unit.proxy() as browser:
        until(lambda: view_of(unit) is not None)
        view = view_of(unit)
        assert view is not None
        assert view.addresses == ()
        assert "allerac.local" in view.names
        assert browser.get("/api/v1/status").json()["claimed"] is False
        until(lambda: browser.get("/ca.crt").status_code == 200)
        assert browser.get("/healthz", headers={"Host": ADDRESS}).status_code == 421
        plug_in(unit)
        until(lambda: ADDRESS in getattr(view_of(unit), "addresses", ()))
        assert browser.get("/healthz", headers={"Host": ADDRESS}).status_code == 200
