"""Faults of a box as data: what happens, which issue tells of it, and how soon."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from allerac.health import BackupFacts, EngineFacts, Unit, UpdateFacts
from tests.recorded_machine import GIB, SMART_NVME, SMART_SATA
from tests.simulated_box import NOON, WELL, SimulatedBox

Seed = Callable[[SimulatedBox, float], None]
MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0


@dataclass(frozen=True, slots=True)
class Fault:
    """`seed` is called before each sample with the seconds since the fault began."""

    name: str
    code: str
    within_seconds: float
    seed: Seed
    reaction: str | None = None
    severity: str | None = None
    recovers_within_seconds: float | None = 5 * MINUTE


def facts(**changed: Any) -> Seed:
    return lambda box, _: box.change(**changed)


def engine(**changed: Any) -> Seed:
    state = replace(EngineFacts(state="ready", speed=12.0, record=12.5), **changed)
    return facts(engine=state)


def stuck_fan(box: SimulatedBox, _: float) -> None:
    """Warm, but not yet so hot that the box slows down."""
    box.machine.fan(0)
    box.machine.heat(80)


def dies_again(box: SimulatedBox, seconds: float) -> None:
    """Be seen loading every other time; `last_error` goes with the first answer."""
    state = "loading" if seconds % 20 else "failed"
    box.change(engine=EngineFacts(state=state, record=12.5, last_error="The engine ended."))


def memory(available: float, **more: int) -> Seed:
    return lambda box, _: box.machine.memory(total=16 * GIB, available=int(available * GIB), **more)


def short_memory(available: float) -> Seed:
    def seed(box: SimulatedBox, _: float) -> None:
        box.machine.memory(total=16 * GIB, available=int(available * GIB))
        box.machine.pressure(memory=30.0)

    return seed


def thrash(box: SimulatedBox, seconds: float) -> None:
    box.machine.memory(
        total=16 * GIB, available=9 * GIB, swap=4 * GIB, swap_used=GIB, swapped=int(seconds * 2000)
    )


def disk(free: float) -> Seed:
    return lambda box, _: box.machine.disk(total=240 * GIB, free=int(free * GIB))


def drive(answer: dict[str, Any]) -> Seed:
    return lambda box, _: box.machine.drive("nvme0n1", answer)


def nvme(**changed: int) -> dict[str, Any]:
    log = "nvme_smart_health_information_log"
    return {**SMART_NVME, log: {**SMART_NVME[log], **changed}}


def clock(error: timedelta) -> Seed:
    def seed(box: SimulatedBox, _: float) -> None:
        box.clock_error = error
        box.change(clock_moved_seconds=error.total_seconds())
        if box.machine.root.joinpath("run/systemd/timesync/synchronized").exists():
            box.machine.remove("run/systemd/timesync/synchronized")

    return seed


WELL_ENGINE = EngineFacts(state="ready", speed=12.0, record=12.5)
SICK_SATA = {**SMART_SATA, "smart_status": {"passed": False}}

FAULTS = [
    Fault("heat", "hot", 60, lambda b, _: b.machine.heat(90), "fewer_threads", "warning"),
    Fault("great heat", "hot", 60, lambda b, _: b.machine.heat(99), "pause_answers", "critical"),
    Fault(
        "throttling",
        "throttling",
        11 * MINUTE,
        lambda b, s: b.machine.throttled(int(s / 10)),
        recovers_within_seconds=15 * MINUTE,
    ),
    Fault(
        "memory short",
        "memory_pressure",
        2 * MINUTE,
        short_memory(1.2),
        "smaller_context",
        "warning",
    ),
    Fault("memory gone", "memory_pressure", MINUTE, memory(0.3), "unload_model", "critical"),
    Fault("thrashing", "swap_thrash", 5 * MINUTE, thrash, recovers_within_seconds=10 * MINUTE),
    Fault("disk short", "disk_nearly_full", 10, disk(3), "hold_downloads", "warning"),
    Fault("disk full", "disk_nearly_full", 10, disk(0), "release_reserve", "critical"),
    Fault(
        "disk worn",
        "disk_worn",
        10,
        drive(nvme(percentage_used=93)),
        recovers_within_seconds=HOUR + MINUTE,
    ),
    Fault(
        "disk beyond its life",
        "disk_worn",
        10,
        drive(nvme(percentage_used=117)),
        severity="critical",
        recovers_within_seconds=None,
    ),
    Fault(
        "spare used up",
        "disk_failing",
        10,
        drive(nvme(available_spare=4)),
        severity="critical",
        recovers_within_seconds=HOUR + MINUTE,
    ),
    Fault(
        "critical warning",
        "disk_failing",
        10,
        drive(nvme(critical_warning=4)),
        recovers_within_seconds=None,
    ),
    Fault(
        "media errors",
        "disk_failing",
        10,
        drive(nvme(media_errors=25)),
        severity="warning",
        recovers_within_seconds=None,
    ),
    Fault("SATA says it fails", "disk_failing", 10, drive(SICK_SATA), recovers_within_seconds=None),
    Fault(
        "eMMC worn",
        "disk_worn",
        10,
        lambda b, _: b.machine.emmc(life="0x0A 0x03"),
        recovers_within_seconds=None,
    ),
    Fault("read-only", "file_system_read_only", 10, lambda b, _: b.machine.mount(read_only=True)),
    Fault("ext4 errors", "file_system_errors", 10, lambda b, _: b.machine.mount(errors=3)),
    Fault("clock ten years ahead", "clock_wrong", 10, clock(timedelta(days=3650))),
    Fault("clock ten years back", "clock_wrong", 10, clock(timedelta(days=-3650))),
    Fault(
        "slow cable", "link_slow", 3 * MINUTE, lambda b, _: b.machine.link("enp1s0", megabits=100)
    ),
    Fault(
        "loose cable",
        "link_flapping",
        3 * MINUTE,
        lambda b, s: b.machine.link("enp1s0", changes=1 + int(s / 15)),
        recovers_within_seconds=15 * MINUTE,
    ),
    Fault("name taken", "name_conflict", MINUTE, facts(name_conflict="kitchen.local")),
    Fault("engine gone", "engine_down", MINUTE, engine(state="failed"), "start_engine", "critical"),
    Fault("engine dies at every start", "engine_down", MINUTE, dies_again, severity="critical"),
    Fault(
        "engine ends again and again",
        "engine_restarting",
        11 * MINUTE,
        lambda b, s: b.change(engine=replace(WELL_ENGINE, restarts=int(s / 120))),
        recovers_within_seconds=HOUR + MINUTE,
    ),
    Fault("engine hangs in its start", "engine_down", MINUTE, engine(state="starting")),
    Fault(
        "engine slow",
        "engine_slow",
        15 * MINUTE,
        engine(speed=4.0),
        recovers_within_seconds=15 * MINUTE,
    ),
    Fault("model damaged", "model_damaged", 10, facts(damaged_models=("small",))),
    Fault("database damaged", "database_damaged", 10, facts(database_faults=("page 7",))),
    Fault(
        "backup old",
        "backup_old",
        10,
        facts(backup=BackupFacts(succeeded_at=NOON - timedelta(days=4))),
    ),
    Fault(
        "backup failed",
        "backup_old",
        10,
        facts(backup=BackupFacts(succeeded_at=NOON - timedelta(days=1), failed=True)),
    ),
    Fault(
        "update failed", "update_failed", 10, facts(update=UpdateFacts(failed="download_failed"))
    ),
    Fault(
        "update postponed",
        "update_postponed",
        10,
        facts(update=UpdateFacts(version="1.2.0", offered_at=NOON - timedelta(days=50))),
        severity="warning",
    ),
    Fault(
        "certificate ends",
        "certificate_expiring",
        11 * MINUTE,
        facts(certificate_expires_at=NOON + timedelta(days=5)),
    ),
    Fault("one channel", "single_channel", 10, lambda b, _: b.change(memory_channels=0)),
    Fault(
        "low power limit",
        "power_limit_low",
        2 * MINUTE,
        lambda b, _: b.machine.power(joules=1, limit_watts=6, rated_watts=15),
    ),
    Fault(
        "guessing",
        "sign_ins_failed",
        10,
        facts(failed_sign_ins=60),
        recovers_within_seconds=11 * MINUTE,
    ),
    Fault(
        "ssh open",
        "ssh_open",
        10,
        facts(ssh_open_until=NOON + timedelta(hours=1)),
        severity="notice",
    ),
    Fault("unit failed", "unit_failed", MINUTE, facts(units=(Unit("nginx.service", True, 0),))),
    Fault(
        "unit restarts",
        "unit_failed",
        3 * MINUTE,
        lambda b, s: b.change(units=(Unit("allerac-engine.service", False, int(s / 20)),)),
    ),
    Fault(
        "mains away",
        "battery_low",
        MINUTE,
        lambda b, _: b.machine.battery(15, "Discharging"),
        severity="critical",
    ),
    Fault(
        "mains away at a UPS",
        "battery_low",
        MINUTE,
        lambda b, _: b.machine.battery(80, "Discharging", "UPS"),
        severity="warning",
    ),
    Fault("fan stuck", "fan_stopped", 2 * MINUTE, stuck_fan, severity="warning"),
]


def heal(box: SimulatedBox) -> None:
    """Be as before; counters stay where they are, for they never fall."""
    counters = {
        path: box.machine.root.joinpath(path).read_text().strip()
        for path in ("sys/class/net/enp1s0/carrier_changes", "proc/vmstat")
    }
    throttled = "sys/devices/system/cpu/cpu0/thermal_throttle/package_throttle_count"
    times = int(box.machine.root.joinpath(throttled).read_text())
    box.machine.usual()
    box.machine.throttled(times)
    for path, text in counters.items():
        box.machine.write(path, text)
    box.machine.battery(100, "Full")
    box.clock_error = timedelta()
    box.facts = WELL
