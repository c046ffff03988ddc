"""The way back to the other system, which RAUC itself keeps account of."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from allerac_rescue.acts import perform, read_result
from allerac_rescue.places import Places
from allerac_rescue.programs import Told
from tests.rescue.rescued_box import LABEL, NotedPrograms, Visitor
from tests.unit.updates.fake_rauc import private_bus

START_SECONDS = 30.0
REBOOT = ("systemctl", "reboot")
SETTINGS = """[system]
compatible=allerac-vm
bootloader=grub
grubenv={folder}/grubenv
statusfile={folder}/status
mountprefix={folder}/mount
activate-installed=false
[keyring]
path={folder}/keyring.pem
[slot.rootfs.0]
device={folder}/root-A
type=raw
bootname=A
[slot.rootfs.1]
device={folder}/root-B
type=raw
bootname=B
"""


@dataclass
class WithRauc(NotedPrograms):
    """Really asks RAUC; everything else is only noted."""

    folder: Path = Path()
    environment: dict[str, str] = field(default_factory=dict)

    def __call__(self, words: Sequence[str], seconds: float = 5.0) -> Told:
        noted = super().__call__(words, seconds)
        if words[0] != "rauc":
            return noted
        done = self._run(*words)
        return Told(done.returncode, done.stdout)

    def boots(self, *facts: str) -> None:
        """Have the boot loader know this."""
        self._run("grub-editenv", "grubenv", "create").check_returncode()
        self._run("grub-editenv", "grubenv", "set", *facts).check_returncode()

    @property
    def order(self) -> str:
        """The slots in the order in which the boot loader tries them."""
        lines = self._run("grub-editenv", "grubenv", "list").stdout.splitlines()
        return next(line.partition("=")[2] for line in lines if line.startswith("ORDER="))

    def until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not (told := self._run("rauc", "status")).stdout or told.returncode:
            assert time.monotonic() < deadline, told.stdout
            time.sleep(0.1)

    def _run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            words,
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=30,
            check=False,
        )


@contextmanager
def _service(folder: Path, environment: dict[str, str]) -> Iterator[None]:
    command = ["rauc", f"--conf={folder / 'system.conf'}", "--override-boot-slot=A", "service"]
    with (folder / "log").open("w") as log:
        daemon = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            yield
        finally:
            daemon.terminate()
            daemon.wait(30)


@pytest.fixture
def rauc(tmp_path: Path) -> Iterator[WithRauc]:
    for program in ("rauc", "grub-editenv"):
        if shutil.which(program) is None:
            leave = pytest.fail if os.environ.get("CI") else pytest.skip
            leave(f"needs `{program}`: apt install rauc grub-common")
    folder = tmp_path / "rauc"
    (folder / "services").mkdir(parents=True)
    for name in ("root-A", "root-B", "keyring.pem"):
        (folder / name).write_bytes(bytes(4096))
    (folder / "system.conf").write_text(SETTINGS.format(folder=folder))
    with private_bus(folder) as address:
        environment = {**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": address}
        made = WithRauc(folder=folder, environment=environment)
        made.systemd_says("active")
        made.boots("ORDER=A B", "A_OK=1", "A_TRY=0", "B_OK=0", "B_TRY=0")
        with _service(folder, environment):
            made.until_ready()
            yield made


def test_the_system_before_the_update_is_the_next_one(rauc: WithRauc, places: Places) -> None:
    rauc.boots("ORDER=A B", "A_OK=1", "A_TRY=0", "B_OK=1", "B_TRY=0")
    assert perform("previous-system", places, rauc) == 0
    assert rauc.order == "B A"
    assert rauc.wanted[-1] == REBOOT


@pytest.mark.parametrize("failed", [("B_OK=0", "B_TRY=0"), ("B_OK=1", "B_TRY=3")])
def test_an_empty_slot_and_a_system_that_failed_are_no_way_back(
    rauc: WithRauc, places: Places, failed: tuple[str, str]
) -> None:
    rauc.boots("ORDER=A B", "A_OK=1", "A_TRY=0", *failed)
    assert perform("previous-system", places, rauc) == 1
    told = read_result(places, "previous-system")
    assert told is not None
    assert told["error"] == "There is no other system that has worked."
    assert rauc.order == "A B"
    assert REBOOT not in rauc.wanted


@pytest.mark.parametrize("is_good", [True, False])
def test_the_way_back_is_offered_where_there_is_one(
    rauc: WithRauc, visitor: Visitor, places: Places, is_good: bool
) -> None:
    rauc.boots("ORDER=A B", "A_OK=1", "A_TRY=0", f"B_OK={int(is_good)}", "B_TRY=0")
    visitor.post("/rescue/open", code=LABEL)
    perform("inspect", places, rauc)
    assert ("Go back to the previous system" in visitor.get("/rescue/").text) is is_good
