"""Whether the processor has the instructions that llama.cpp was compiled for.

An image is made for the processors of its tier. On another one, llama.cpp would die of the first
instruction that is missing, and so would every process that is started in its place.
"""

from pathlib import Path
from typing import Final

from allerac.errors import EngineUnavailable

CPUINFO: Final = Path("/proc/cpuinfo")

_FLAGS: Final = {
    "AVX": "avx",
    "AVX2": "avx2",
    "AVX512": "avx512f",
    "AVX_VNNI": "avx_vnni",
    "BMI2": "bmi2",
    "F16C": "f16c",
    "FMA": "fma",
}
"""Name in llama_print_system_info (ggml-cpu.cpp) → flag in /proc/cpuinfo (cpufeatures.h)."""


def missing_instructions(compiled: str, cpuinfo: str) -> list[str]:
    """Return what `compiled` (`CPU : AVX2 = 1 | FMA = 1 |`) names and no line of `cpuinfo` has.

    Where the flags of the processor are not known, nothing is missing.
    """
    lines = (line.partition(":") for line in cpuinfo.splitlines())
    flags = next((value.split() for name, _, value in lines if name.strip() == "flags"), None)
    if flags is None:
        return []
    features = (part.partition("=") for part in compiled.rpartition(" : ")[2].split("|"))
    names = [name.strip() for name, _, value in features if value.strip() == "1"]
    return [name for name in names if name in _FLAGS and _FLAGS[name] not in flags]


def require_instructions(compiled: str, cpuinfo: Path = CPUINFO) -> None:
    """Raise `EngineUnavailable` when this processor cannot run what was compiled."""
    try:
        text = cpuinfo.read_text()
    except OSError:
        return
    if missing := missing_instructions(compiled, text):
        raise EngineUnavailable(
            "This system was made for another processor.",
            hint="Install the image for this machine.",
        ) from RuntimeError(f"the engine needs {', '.join(missing)}, which this processor has not")
