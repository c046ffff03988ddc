"""Faults that are no recording: real processes, a real mount, a program that really hangs."""

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from allerac.hardware.sensors import Sensors, Sysfs
from allerac.hardware.sensors.drives import INTERVAL_SECONDS, TIMEOUT_SECONDS, DriveReader
from allerac.health import HealthService, Limits
from allerac.storage.device_history import DeviceHistory
from tests.api.health_box import codes_of
from tests.claimed_box import ClaimedBox, Owner, claimed_box, write_endless_model
from tests.faults.own_disk import OwnDisk, own_disk
from tests.recorded_machine import RecordedMachine
from tests.simulated_box import WELL

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

DEADLINE_SECONDS = 180.0
READ_ONLY = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0"'
HANGS = """#!/bin/sh
[ -e "$0.hangs" ] && exec sleep 60
echo '{"model_name": "Example", "smart_status": {"passed": true}}'
"""
Health = dict[str, Any]


async def until(owner: Owner, reached: Callable[[Health], bool]) -> Health:
    async with asyncio.timeout(DEADLINE_SECONDS):
        while True:
            health: Health = (await owner.client.get("/api/v1/health")).json()
            if reached(health):
                return health
            await asyncio.sleep(0.2)


async def restarts(owner: Owner) -> float:
    key = (await owner.client.post("/api/v1/api-keys", json={"name": "watcher"})).json()["key"]
    told = await owner.client.get("/metrics", headers={"Authorization": f"Bearer {key}"})
    (line,) = [row for row in told.text.splitlines() if row.startswith("allerac_engine_restarts")]
    return float(line.split()[-1])


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_endless_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory, model: Path) -> Iterator[ClaimedBox]:
    folder = tmp_path_factory.mktemp("box")
    chosen = {
        "profile": "vm",
        "demo_model_dir": str(model),
        "sensors_root": str(RecordedMachine(folder / "machine").usual().root),
        "sample_seconds": "0.5",
    }
    with claimed_box(folder / "data", **chosen) as claimed:
        yield claimed


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGSTOP])
async def test_an_engine_that_dies_or_hangs_is_replaced_before_it_is_an_issue(
    box: ClaimedBox, blow: signal.Signals
) -> None:
    async with box.owner() as owner:
        await owner.until_ready()
        before = await restarts(owner)
        struck = box.engine()
        struck.send_signal(blow)
        async with asyncio.timeout(DEADLINE_SECONDS):
            while await restarts(owner) == before:  # noqa: ASYNC110 - the box has no event to wait on
                await asyncio.sleep(0.2)
        await owner.until_ready()
        assert not struck.is_running() or struck.status() == psutil.STATUS_ZOMBIE
        health = await until(owner, lambda health: health["figures"])
        assert "engine_down" not in codes_of(health)


async def test_an_engine_that_dies_at_every_start_is_told_tried_again_and_over(
    box: ClaimedBox, model: Path
) -> None:
    file = model / "endless.gguf"
    away = file.with_suffix(".away")
    async with box.owner() as owner:
        await owner.until_ready()
        file.rename(away)
        try:
            box.engine().kill()
            health = await until(owner, lambda health: "engine_down" in codes_of(health))
            assert health["severity"] == "critical"
            await until(owner, lambda health: "start_engine" in reactions_of(health))
        finally:
            away.rename(file)
        await until(owner, lambda health: not health["issues"] and not health["reactions"])
        await owner.until_ready()


def reactions_of(health: Health) -> set[str]:
    return {reaction["code"] for reaction in health["reactions"]}


@dataclass(frozen=True, slots=True)
class BoxOnDisk:
    box: ClaimedBox
    folder: Path
    disk: OwnDisk

    @contextmanager
    def read_only(self) -> Iterator[None]:
        """Have the kernel refuse what is opened for writing from now on."""
        self._do("sh", "-c", READ_ONLY, str(self.folder))
        try:
            yield
        finally:
            self._do("umount", "--lazy", str(self.folder))

    def _do(self, *words: str) -> None:
        subprocess.run([*self.disk.within, *words], check=True, timeout=60)


@pytest.fixture
def small_disk(tmp_path: Path, model: Path) -> Iterator[BoxOnDisk]:
    folder = tmp_path / "box"
    chosen = {"profile": "vm", "demo_model_dir": str(model), "sample_seconds": "0.5"}
    with (
        own_disk(folder, "200m") as own,
        claimed_box(folder, within=own.within, **chosen) as box,
    ):
        yield BoxOnDisk(box, folder, own)


async def test_a_disk_that_is_mounted_read_only_is_told_and_its_end_too(
    small_disk: BoxOnDisk,
) -> None:
    async with small_disk.box.owner() as owner:
        health = await until(owner, lambda health: health["figures"])
        assert "file_system_read_only" not in codes_of(health)
        with small_disk.read_only():
            await until(owner, lambda health: "file_system_read_only" in codes_of(health))
        await until(owner, lambda health: "file_system_read_only" not in codes_of(health))


class ThisMachine(Sysfs):
    """A recorded tree whose drives are asked as those of the machine are."""

    @property
    def is_machine(self) -> bool:
        return True


async def test_a_drive_that_hangs_for_a_minute_holds_no_sample_and_keeps_its_verdict(
    tmp_path: Path,
) -> None:
    machine = RecordedMachine(tmp_path / "machine").usual()
    machine.remove("run/allerac-smart")
    machine.write("sys/block/sda/removable", 0)
    machine.write("sys/block/sda/device/model", "Example")
    smartctl = tmp_path / "smartctl"
    smartctl.write_text(HANGS)
    smartctl.chmod(0o700)
    steady = [0.0]
    sysfs = ThisMachine(machine.root)
    drives = DriveReader(sysfs, ask=(str(smartctl),), steady=lambda: steady[0])

    async def facts() -> Any:
        return WELL

    health = HealthService(
        sensors=Sensors(sysfs, tmp_path, drives),
        store=DeviceHistory(tmp_path / "health.sqlite"),
        facts=facts,
        limits=Limits(),
        levers={},
        acts={},
    )
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not drives.drives:
            await health.sample()
        smartctl.with_suffix(".hangs").touch()
        steady[0] = INTERVAL_SECONDS
        began = time.monotonic()
        await health.sample()
        while not children(smartctl):  # noqa: ASYNC110 - a program has none either
            await asyncio.sleep(0.02)
        while children(smartctl):
            sampled = time.monotonic()
            await health.sample()
            assert time.monotonic() - sampled < TIMEOUT_SECONDS / 2
            await asyncio.sleep(0.1)
    assert time.monotonic() - began >= TIMEOUT_SECONDS
    assert [drive.failing for drive in drives.drives] == [False]
    assert health.status().issues == []
    await health.stop()


def children(program: Path) -> list[psutil.Process]:
    """Return the programs that were begun here and have not ended; `exec` renames them."""
    mine = psutil.Process(os.getpid()).children()
    return [child for child in mine if child.name() in {program.name, "sleep", "sh"}]
