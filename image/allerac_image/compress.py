"""The disk as it is handed on: compressed, with the map of what must be written."""

from .log import StepLog
from .plan import Plan

LEVEL = "-6"
"""The root is compressed already; more effort gains a few hundredths."""


def compress(plan: Plan, log: StepLog) -> None:
    """Write `.img.zst` and `.bmap`; keep the raw disk only when it was asked for."""
    bmap = plan.staging / f"{plan.name}.bmap"
    log.run(["bmaptool", "create", "--output", bmap, plan.raw])
    log.run(["zstd", "--quiet", "--force", LEVEL, "-T0", plan.raw, "-o", f"{plan.raw}.zst"])
    if not plan.keep_raw:
        plan.raw.unlink()
