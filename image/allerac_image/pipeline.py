"""The steps of a build in their order."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass

from .bundle import make_bundle
from .compress import compress
from .debian import prepare_root, unpack_root
from .disk import make_disk
from .errors import BadInput, ImageError
from .grub import make_boot_loader
from .initrd import make_initrd
from .inventory import write_inventory
from .log import StepLog, clean_environment, say
from .models import prepare_models
from .plan import Plan
from .provision import provision
from .seal import seal
from .slot import make_boot, make_root
from .wheelhouse import prepare_wheelhouse


@dataclass(frozen=True, slots=True)
class Step:
    """One step: what it is called on the command line and to a person, and what it does."""

    name: str
    title: str
    work: Callable[[Plan, StepLog], None]


FETCHING = (
    Step("debian", "Debian's packages", prepare_root),
    Step("wheelhouse", "Python packages and engine", prepare_wheelhouse),
    Step("models", "Models", prepare_models),
)
"""Done first: after them nothing comes from the network."""

MAKING = (
    Step("unpack", "Root unpacked", unpack_root),
    Step("provision", "Roles of provisioning/", provision),
    Step("initrd", "Initrd", make_initrd),
    Step("boot-loader", "Boot loader", make_boot_loader),
    Step("seal", "Root sealed", seal),
    Step("root", "Verified root", make_root),
    Step("boot", "Boot slot", make_boot),
    Step("disk", "Disk", make_disk),
    Step("bundle", "Update bundle", make_bundle),
    Step("inventory", "Bill of materials", write_inventory),
    Step("compress", "Compressed disk", compress),
)
"""Done by Packer, in this order in its template too."""

STEPS = (*FETCHING, *MAKING)
TIMES = "times.jsonl"


def run_step(step: Step, plan: Plan) -> None:
    """Do one step, say how long it took; an `ImageError` tells where the log is."""
    number = [one.name for one in STEPS].index(step.name) + 1
    say(f"▸ {number:2} of {len(STEPS)}  {step.title}")
    log = StepLog(plan.logs / f"{number:02}-{step.name}.log", clean_environment(plan.epoch))
    began = time.monotonic()
    try:
        step.work(plan, log)
    except BadInput:
        raise
    except (ImageError, OSError) as error:
        raise ImageError(
            f"{log.last_lines()}\n\n"
            f"✗ Step {number} of {len(STEPS)} failed: {step.title}\n"
            f"  {error}\n"
            f"  The whole log is {log.path}"
        ) from error
    seconds = time.monotonic() - began
    with (plan.work / TIMES).open("a") as times:
        times.write(json.dumps({"step": step.title, "seconds": round(seconds, 1)}) + "\n")
    say(f"           done in {seconds:.0f} s")


def step_called(name: str) -> Step:
    """Return the step `name`; raise `BadInput` when there is none."""
    for step in STEPS:
        if step.name == name:
            return step
    raise BadInput(f"There is no step {name!r}. Steps: {', '.join(s.name for s in STEPS)}.")
