"""Machines of a tier, written down as the kernel shows them."""

from collections.abc import Callable, Mapping
from pathlib import Path

from allerac.burn_in import Pace
from allerac.errors import EngineUnavailable
from allerac.hardware.machine import Machine

GOOD: Mapping[str, str] = {
    "sys/class/net/enp1s0/device/vendor": "0x8086",
    "sys/class/net/enp1s0/operstate": "up",
    "sys/class/net/enp1s0/speed": "2500",
    "sys/class/net/enp1s0/address": "7c:83:34:aa:bb:01",
    "sys/class/hwmon/hwmon0/name": "coretemp",
    "sys/class/hwmon/hwmon0/temp1_input": "71000",
    "sys/class/hwmon/hwmon0/temp1_crit": "105000",
    "sys/class/powercap/intel-rapl:0/constraint_0_power_limit_uw": "15000000",
    "sys/class/tpm/tpm0/tpm_version_major": "2",
    "sys/class/rtc/rtc0/since_epoch": "1795262400",  # 2026-11-21 12:00 UTC
    "sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count": "7",
    "proc/stat": "cpu  1 0 1 8 0 0 0 0 0 0",
}


def tree(folder: Path, **changes: str | None) -> Path:
    """Write the files of a good N100 below `folder`; changed by the end of their path."""
    for name, text in GOOD.items():
        for end, other in changes.items():
            if name.endswith(end):
                text = other  # type: ignore[assignment]  # None leaves the file out
        if text is not None:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    return folder


def n100(**changes: object) -> Machine:
    """Return a machine of the tier."""
    fields = {
        "cpu": "Intel(R) N100",
        "cores_performance": 0,
        "cores_efficient": 4,
        "threads": 4,
        "memory_bytes": 16_500_000_000,
        "memory_channels": 1,
        "flags": frozenset({"avx2", "avx_vnni"}),
        "virtual": False,
        "disk_free_bytes": 100_000_000_000,
    }
    return Machine(**(fields | changes))  # type: ignore[arg-type]  # fields by name


class SteadyLoad:
    """Answers at once, always at the same pace; `fails` when asked to start.

    `meanwhile` happens with each answer.
    """

    def __init__(
        self,
        prefill: float,
        decode: float,
        *,
        fails: bool = False,
        meanwhile: Callable[[], object] = lambda: None,
    ) -> None:
        self.pace = Pace(prefill, decode)
        self.fails = fails
        self.meanwhile = meanwhile
        self.is_stopped = False

    async def start(self) -> None:
        """Get ready, or not."""
        if self.fails:
            raise EngineUnavailable("The model does not load.")

    async def answer(self) -> Pace:
        """Answer."""
        self.meanwhile()
        return self.pace

    async def stop(self) -> None:
        """Let go."""
        self.is_stopped = True
