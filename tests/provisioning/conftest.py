"""A Debian root that the roles have been run over, once for all tests that look at it."""

import dataclasses
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from allerac_image.debian import prepare_root, unpack_root
from allerac_image.log import StepLog, clean_environment
from allerac_image.plan import REPOSITORY, Plan
from allerac_image.provision import provision
from allerac_image.seal import seal
from allerac_image.signing import Signer
from allerac_image.source import read_source
from allerac_image.wheelhouse import prepare_wheelhouse
from allerac_release.development import development_trust
from bootstrap.steps import cache_folder
from tests.made_once import made_once

HERE = Path(__file__).parent
PLAY_SECONDS = 2400
"""Ten times what two quiet cores need, a fresh root of Debian's packages included."""

Step = Callable[[Plan, StepLog], None]


@dataclasses.dataclass(frozen=True, slots=True)
class Provisioned:
    """A root with the roles done; what was needed while building is still there."""

    plan: Plan

    @property
    def root(self) -> Path:
        return self.plan.root

    def do(self, step: Step, name: str) -> str:
        """Do a step of a build and return its log."""
        log = StepLog(self.plan.logs / f"{name}.log", clean_environment(self.plan.epoch))
        step(self.plan, log)
        return log.path.read_text()

    def copy(self, work: Path) -> "Provisioned":
        """Return one of its own for who changes it."""
        copied = Provisioned(dataclasses.replace(self.plan, work=work, out=work / "out"))
        for folder, to in (
            (self.root, copied.root),
            (self.plan.wheelhouse, copied.plan.wheelhouse),
        ):
            to.parent.mkdir(parents=True, exist_ok=True)
            subprocess.run(["/usr/bin/cp", "-a", folder, to], check=True)
        return copied


def _plan(work: Path) -> Plan:
    source = read_source(REPOSITORY)
    cache = cache_folder()
    return Plan(
        tier_id="vm",
        version=source.version,
        commit=source.commit,
        epoch=source.epoch,
        work=work,
        out=work / "out",
        cache=cache,
        keys=cache / "keys",
        trust=development_trust(work.with_name("trusted")),
        updates_from="https://updates.example.org/allerac",
        ansible=REPOSITORY / ".venv-image" / "bin" / "ansible-playbook",
        playbook=REPOSITORY / "provisioning" / "site.yml",
        preload=False,
        keep_raw=False,
        sector_bytes=512,
    )


def _make_keys(plan: Plan, log: StepLog) -> None:
    Signer(plan.keys).make_development_keys(log)


def _make(work: Path) -> None:
    made = Provisioned(_plan(work))
    made.plan.save()
    made.do(_make_keys, "keys")
    made.do(prepare_root, "debian")
    made.do(prepare_wheelhouse, "wheelhouse")
    made.do(unpack_root, "unpack")
    made.do(provision, "provision")


@pytest.fixture(scope="session")
def provisioned(tmp_path_factory: pytest.TempPathFactory) -> Provisioned:
    """Run the roles over a Debian root, as the image's build does."""
    if os.geteuid() != 0 and "CI" not in os.environ:
        pytest.skip("needs root, for the owners of files in the root that is made")
    work = made_once(tmp_path_factory, "provisioned", _make)
    return Provisioned(Plan.load(work / "plan.json"))


@pytest.fixture(scope="session")
def root(request: pytest.FixtureRequest) -> Path:
    """The root as the roles left it; `ALLERAC_TEST_ROOT` names one for quick work on a test."""
    given = os.environ.get("ALLERAC_TEST_ROOT")
    if given:
        return Path(given)
    provisioned: Provisioned = request.getfixturevalue("provisioned")
    return provisioned.root


@pytest.fixture(scope="session")
def image_root(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root as an image has it; `ALLERAC_IMAGE_ROOT` names one that a build left."""
    given = os.environ.get("ALLERAC_IMAGE_ROOT")
    if given:
        return Path(given)
    provisioned: Provisioned = request.getfixturevalue("provisioned")

    def make(work: Path) -> None:
        provisioned.copy(work).do(seal, "seal")

    return made_once(tmp_path_factory, "sealed", make) / "root"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The test that happens to make a root gets the time for it."""
    for item in items:
        if {"provisioned", "root", "image_root"} & _fixtures(item):
            item.add_marker(pytest.mark.timeout(PLAY_SECONDS))
            item.add_marker(pytest.mark.slow)


def _fixtures(item: pytest.Item) -> set[str]:
    """Return the names of what a test of this folder needs; of another's test nothing."""
    if isinstance(item, pytest.Function) and HERE in item.path.parents:
        return set(item.fixturenames)
    return set()
