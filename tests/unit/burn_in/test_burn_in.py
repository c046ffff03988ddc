"""A unit passes its burn-in when everything is as its tier promises, and fails for the reason."""

import base64
import json
import mmap
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from allerac.app.burn_in import hardware_of_unit
from allerac.appliance.identity import FactoryIdentity
from allerac.burn_in import (
    BurnIn,
    Extent,
    Keeper,
    PartitionKey,
    Reporter,
    is_factory_mode,
    sign,
)
from allerac.burn_in.probes import (
    BLOCK_BYTES,
    CHUNK_BYTES,
    probe_disk,
    probe_drive_verdicts,
    probe_memory,
)
from allerac.errors import InvalidInput
from allerac.hardware.drive_test import DriveTester
from allerac.hardware.machine import Machine
from allerac.hardware.profile import load_profiles
from allerac.hardware.sensors import Drive, Sysfs
from allerac.settings import Settings
from tests.unit.hardware.scripted_drives import ScriptedDrives, nvme, sata

from .machines import SteadyLoad, n100, tree

PROFILES = Path(__file__).parents[3] / "hardware_profiles"
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
KEY = PartitionKey(ec.generate_private_key(ec.SECP256R1()))
SMALL = Extent(load_seconds=0.0, memory_bytes=1, disk_bytes=1, least_disk_mb_per_second=None)


async def burn_in(
    folder: Path,
    *,
    machine: Machine | None = None,
    load: SteadyLoad | None = None,
    now: datetime = NOW,
    changes: Mapping[str, str | None] | None = None,
    tier: str = "n100",
    image: str | None = "n100",
    drives: ScriptedDrives | None = None,
    key: PartitionKey = KEY,
) -> dict[str, Any]:
    lines: list[str] = []
    body = await BurnIn(
        identity=FactoryIdentity(serial="ALR-N100-000042", device_id="0198c0de"),
        machine=machine or n100(),
        profiles=load_profiles(PROFILES),
        tier=tier,
        image=image,
        flash_id="0198c0de-7000",
        attempt=1,
        key=key,
        load=load or SteadyLoad(34.0, 17.0),
        data_dir=folder,
        version="1.2.3",
        extent=SMALL,
        reporter=Reporter("ALR-N100-000042", lines.append),
        sysfs=Sysfs(tree(folder / "machine", **(changes or {}))),
        drives=None if drives is None else watched(drives, lines.append),
        clock=lambda: now,
    ).run()
    assert sum(line[0] in "✓✗" for line in lines) == len(body["checks"])
    return body


def watched(drives: ScriptedDrives, tell: Callable[[str], None]) -> DriveTester:
    return DriveTester(
        Sysfs(drives.root), tell, systemctl=drives.systemctl, poll_seconds=0.01, limit_seconds=60
    )


def reasons(body: dict[str, Any]) -> dict[str, str]:
    return {check["name"]: check["reason"] for check in body["checks"] if not check["passed"]}


async def test_unit_of_its_tier_passes(tmp_path: Path) -> None:
    body = await burn_in(tmp_path)
    assert reasons(body) == {}
    assert body["passed"]
    assert body["serial"] == "ALR-N100-000042"
    assert body["flash_id"] == "0198c0de-7000"
    assert body["macs"] == ["7C:83:34:AA:BB:01"]
    assert {check["name"] for check in body["checks"]} == {
        *("memory", "disk", "drive self-test", "drive health", "network", "inference", "heat"),
        *("tier", "memory channels", "power limit", "clock", "tpm"),
    }


@pytest.mark.parametrize(
    ("changes", "check", "told"),
    [
        ({"temp1_input": "95000"}, "heat", "95 °C"),
        ({"temp1_input": None}, "heat", "cannot be read"),
        ({"power_limit_uw": "6000000"}, "power limit", "is 6 W, the tier needs 15 W"),
        ({"power_limit_uw": None}, "power limit", "is not readable"),
        ({"speed": "100"}, "network", "slower"),
        ({"vendor": None}, "network", "no wired network card"),
        ({"since_epoch": "1794657600"}, "clock", "The hardware clock is wrong"),
        ({"since_epoch": "1795867200"}, "clock", "The hardware clock is wrong"),
    ],
)
async def test_unit_that_is_not_as_its_tier_fails_for_the_reason(
    tmp_path: Path, changes: dict[str, str | None], check: str, told: str
) -> None:
    body = await burn_in(tmp_path, changes=changes)
    assert list(reasons(body)) == [check]
    assert told in reasons(body)[check]
    assert not body["passed"]


async def test_drives_own_tests_are_in_the_certificate(tmp_path: Path) -> None:
    drives = ScriptedDrives(tmp_path / "drives")
    drives.add("vda")
    drives.add("nvme0n1", [nvme(), nvme(done=40), nvme((1, 0, "Completed without error"))])
    body = await burn_in(tmp_path, drives=drives)
    (test,) = [check for check in body["checks"] if check["name"] == "drive self-test"]
    assert test["passed"]
    assert test["measured"] == {
        "nvme0n1": "completed without error",
        "vda": "not supported by this disk",
    }
    (health,) = [check for check in body["checks"] if check["name"] == "drive health"]
    assert health["measured"]["models"] == "Example NVMe SSD"


async def test_unit_whose_drive_fails_its_own_test_fails(tmp_path: Path) -> None:
    drives = ScriptedDrives(tmp_path / "drives")
    drives.add("sda", [sata(0), sata(0x79, "completed with error (read test element)")])
    body = await burn_in(tmp_path, drives=drives)
    told = "sda completed with error (read test element)."
    assert reasons(body) == {"drive self-test": told}
    assert not body["passed"]


async def test_slow_unit_fails_with_both_figures(tmp_path: Path) -> None:
    load = SteadyLoad(34.0, 8.0)
    body = await burn_in(tmp_path, load=load)
    assert reasons(body) == {"inference": "writes 8.0 tokens a second, the tier has 11.0"}
    assert load.is_stopped


async def test_unit_that_reads_too_slowly_fails(tmp_path: Path) -> None:
    body = await burn_in(tmp_path, load=SteadyLoad(12.0, 17.0))
    assert reasons(body) == {"inference": "reads 12.0 tokens a second, the tier has 20.0"}


async def test_unit_that_slows_itself_under_load_fails(tmp_path: Path) -> None:
    counter = "sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count"
    file = tmp_path / "machine" / counter
    load = SteadyLoad(34.0, 17.0, meanwhile=lambda: file.write_text("9"))
    body = await burn_in(tmp_path, load=load)
    told = "The processor slowed itself because of heat: cooler or paste."
    assert reasons(body) == {"heat": told}
    (heat,) = [check for check in body["checks"] if check["name"] == "heat"]
    assert heat["measured"]["throttled"] == 2


@pytest.mark.parametrize(("found", "version"), [("2", 2), (None, None)])
async def test_tpm_is_written_down_and_none_is_no_fault(
    tmp_path: Path, found: str | None, version: int | None
) -> None:
    body = await burn_in(tmp_path, changes={"tpm_version_major": found})
    (tpm,) = [check for check in body["checks"] if check["name"] == "tpm"]
    assert tpm["passed"]
    assert tpm["measured"] == {"version": version, "device_key": "partition"}


async def test_unit_whose_tpm_does_not_work_fails_and_says_what_to_do(tmp_path: Path) -> None:
    body = await burn_in(tmp_path, key=replace(KEY, problem="The TPM refuses: locked. Clear it."))
    assert reasons(body) == {"tpm": "The TPM refuses: locked. Clear it."}
    assert not body["passed"]


async def test_unit_whose_model_does_not_load_fails(tmp_path: Path) -> None:
    load = SteadyLoad(1.0, 1.0, fails=True)
    body = await burn_in(tmp_path, load=load)
    assert reasons(body) == {"inference": "The model does not load."}
    assert load.is_stopped


async def test_limits_are_those_of_the_tier_the_unit_was_made_as(tmp_path: Path) -> None:
    body = await burn_in(tmp_path, tier="i5", image="i5")
    assert body["profile"] == "i5"
    assert reasons(body)["tier"].startswith("The unit was made as i5. This is a machine of the ")
    assert "the tier needs 28 W" in reasons(body)["power limit"]


async def test_image_of_another_tier_is_found(tmp_path: Path) -> None:
    body = await burn_in(tmp_path, image="i7")
    assert reasons(body) == {"tier": "The unit was made as n100. The image is of the tier i7."}


async def test_image_that_says_no_tier_is_no_finding(tmp_path: Path) -> None:
    assert reasons(await burn_in(tmp_path, image=None)) == {}


async def test_machine_of_no_tier_is_found_with_what_differs(tmp_path: Path) -> None:
    body = await burn_in(tmp_path, machine=n100(memory_bytes=4_000_000_000))
    assert list(reasons(body)) == ["tier"]
    assert "4 GB memory" in reasons(body)["tier"]


@pytest.mark.parametrize("channels", [None, 0])
async def test_unit_without_its_memory_channels_fails(tmp_path: Path, channels: int | None) -> None:
    body = await burn_in(tmp_path, machine=n100(memory_channels=channels))
    assert list(reasons(body)) == ["memory channels"]


async def test_unit_whose_battery_is_flat_fails(tmp_path: Path) -> None:
    body = await burn_in(tmp_path, now=datetime(2020, 1, 1, tzinfo=UTC))
    assert list(reasons(body)) == ["clock"]


def test_memory_that_is_good_passes() -> None:
    outcome = probe_memory(1)
    assert outcome.passed
    assert outcome.measured["tested_bytes"] == 16 << 20


class WornChunk(mmap.mmap):
    """Memory with a bit that stays 1."""

    def __getitem__(self, key: Any) -> Any:
        content = super().__getitem__(key)
        return bytes([content[0] | 0x01]) + content[1:] if isinstance(key, slice) else content


def test_memory_with_a_bit_that_is_stuck_fails() -> None:
    outcome = probe_memory(1, lambda: WornChunk(-1, CHUNK_BYTES))
    assert "Memory gave back something else" in outcome.reason
    assert not outcome.passed
    wrong = outcome.measured["wrong_chunks"]
    assert isinstance(wrong, int)
    assert wrong >= 1


def test_drive_that_gives_back_something_else_fails(tmp_path: Path) -> None:
    def read_at(file: int, into: list[mmap.mmap], offset: int) -> int:
        count = os.preadv(file, into, offset)
        into[0][100] ^= 0x10
        return count

    outcome = probe_disk(tmp_path, 1, None, read_at)
    assert outcome.reason == "The drive gave back something else than was written."
    assert not outcome.passed


def test_drive_that_gives_back_a_piece_of_another_place_fails(tmp_path: Path) -> None:
    def read_at(file: int, into: list[mmap.mmap], offset: int) -> int:
        return os.preadv(file, into, 0)

    assert probe_disk(tmp_path, BLOCK_BYTES, None, read_at).passed
    outcome = probe_disk(tmp_path, 2 * BLOCK_BYTES, None, read_at)
    assert outcome.reason == "The drive gave back something else than was written."


def test_drive_that_is_slower_than_any_good_one_fails(tmp_path: Path) -> None:
    assert "slower" in probe_disk(tmp_path, 1, least=1e9).reason
    assert probe_disk(tmp_path, 1, least=None).passed
    assert list(tmp_path.iterdir()) == []


def test_drive_that_cannot_be_written_fails(tmp_path: Path) -> None:
    assert "The drive failed" in probe_disk(tmp_path / "gone", 1, None).reason


def test_drive_that_says_it_fails_is_believed() -> None:
    drives = [
        Drive(name=name, model="EVO", kind="sata", failing=name == "sda") for name in ("sda", "sdb")
    ]
    assert probe_drive_verdicts(drives).reason == "sda says that it fails."


def test_tier_of_the_factory_goes_before_the_images_and_the_machines(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, profile="i7")
    assert hardware_of_unit(settings, "n100", n100()).choice.profile.id == "n100"
    assert hardware_of_unit(settings, None, n100()).choice.profile.id == "i7"
    with pytest.raises(InvalidInput, match="made as 'n101'"):
        hardware_of_unit(settings, "n101", n100())


def test_unit_from_before_the_factory_said_a_tier_has_none(identity: Path) -> None:
    keeper = Keeper(identity)
    assert keeper.tier() is None
    (identity / "tier").write_text("n100\n")
    assert keeper.tier() == "n100"


def test_unit_counts_its_attempts_since_its_drive_was_written(identity: Path) -> None:
    keeper = Keeper(identity)
    assert (keeper.flash_id(), keeper.attempt()) == (None, 1)
    (identity / "flash-id").write_text("0198c0de\n")
    keeper.keep(sign({"serial": "A", "passed": False, "attempt": 4}, KEY), KEY)
    assert (keeper.flash_id(), keeper.attempt()) == ("0198c0de", 5)
    (identity / "birth-certificate.json").write_text("torn")
    assert keeper.attempt() == 1


@pytest.fixture
def identity(tmp_path: Path) -> Path:
    """A unit in factory mode."""
    folder = tmp_path / "identity"
    folder.mkdir()
    (folder / "factory-mode").touch()
    return folder


def test_unit_that_passed_leaves_factory_mode_and_one_that_failed_does_not(identity: Path) -> None:
    keeper = Keeper(identity)
    keeper.keep(sign({"serial": "A", "passed": False}, KEY), KEY)
    assert is_factory_mode(identity)
    keeper.keep(sign({"serial": "A", "passed": True}, KEY), KEY)
    assert not is_factory_mode(identity)
    kept = json.loads((identity / "birth-certificate.json").read_text())
    used = {"place": "partition", "public": KEY.public, "voucher": ""}
    assert kept["certificate"] == {"serial": "A", "passed": True, "device_key": used}


def test_signature_is_over_the_canonical_text() -> None:
    document = sign({"b": 1.5, "a": "ü"}, KEY)
    public = KEY.public.replace("\n", "\\n")
    used = f'{{"place":"partition","public":"{public}","voucher":""}}'
    KEY.private.public_key().verify(
        base64.b64decode(document["signature"]),
        f'{{"a":"ü","b":1.5,"device_key":{used}}}'.encode(),
        ec.ECDSA(hashes.SHA256()),
    )


@pytest.mark.parametrize("key", [b"", b"\xff" * 100])
def test_key_that_is_worn_out_signs_nothing(key: bytes) -> None:
    with pytest.raises(InvalidInput, match="key"):
        PartitionKey.of(key)
