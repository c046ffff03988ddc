"""One build from beginning to end."""

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .checksums import sign_checksums
from .errors import BadInput, ImageError
from .host import check_host
from .inventory import BILL, PACKAGES
from .log import StepLog, clean_environment, ended_together, say
from .pipeline import FETCHING, run_step
from .plan import IMAGE, REPOSITORY, Plan
from .signing import Signer
from .summary import print_summary, write_summary

TEMPLATE = IMAGE / "packer" / "allerac.pkr.hcl"
PREFIX = "    null.allerac: "
"""Packer's, before each line that a step says."""


def build(plan: Plan) -> None:
    """Make everything of `plan` and put it into `plan.out` at once.

    Raises `BadInput` before anything is begun, `ImageError` when a step fails.
    """
    check_host(plan)
    with alone(plan.work) as lock:
        try:
            _build(plan, lock)
        except KeyboardInterrupt:
            clear(plan)
            raise
    print_summary(plan)


def _build(plan: Plan, lock: int) -> None:
    clear(plan)
    for folder in (plan.work, plan.staging):
        _remove(folder)
        folder.mkdir(parents=True)
    plan.save()
    log = StepLog(plan.logs / "00-keys.log", clean_environment(plan.epoch))
    signer = Signer(plan.keys)
    signer.make_development_keys(log)
    for step in FETCHING:
        run_step(step, plan)
    run_packer(plan, lock)
    sign_checksums(plan.staging, signer.certificate, signer.key)
    write_summary(plan)
    put_in_place(plan)


def clear(plan: Plan) -> None:
    """Remove what an interrupted build left, except its logs; what was finished before stays."""
    if not plan.out.exists() and plan.before.exists():
        plan.before.rename(plan.out)
    for folder in (plan.root, plan.parts, plan.staging):
        _remove(folder)


def run_packer(plan: Plan, lock: int) -> None:
    """Let Packer do its steps; it holds `lock` too, should this process be killed.

    Raises `ImageError` when one fails, after saying which.
    """
    variables = plan.work / "packer.pkrvars.json"
    files = [path.name for path in _products(plan)]
    variables.write_text(
        json.dumps(
            {
                "python": sys.executable,
                "plan": str(plan.work / "plan.json"),
                "staging": str(plan.staging),
                "files": [str(plan.staging / name) for name in files],
            }
        )
    )
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join((str(IMAGE), str(REPOSITORY))),
        "CHECKPOINT_DISABLE": "1",
        "PACKER_NO_COLOR": "1",
        "PACKER_CONFIG_DIR": str(plan.work / "packer"),
    }
    log = plan.logs / "packer.log"
    command = ["packer", "build", "-color=false", f"-var-file={variables}", str(TEMPLATE)]
    with (
        log.open("w", buffering=1) as out,
        subprocess.Popen(
            command,
            cwd=REPOSITORY,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
            pass_fds=[lock],
        ) as process,
        ended_together(process),
    ):
        for line in process.stdout or ():
            out.write(line)
            if line.startswith(PREFIX):
                say(line.removeprefix(PREFIX).rstrip("\n"))
    if process.returncode != 0:
        raise ImageError(f"The image was not made; {plan.out} is as it was. Packer's log: {log}")


def _products(plan: Plan) -> list[Path]:
    names = [f"{plan.name}{suffix}" for suffix in (".img.zst", ".bmap", ".raucb")]
    if plan.keep_raw:
        names.append(plan.raw.name)
    return [plan.staging / name for name in (*names, BILL, PACKAGES)]


def put_in_place(plan: Plan) -> None:
    """Make the finished files `plan.out`, after they have reached the disk: a name may sooner."""
    for path in plan.staging.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())
    _remove(plan.before)
    if plan.out.exists():
        plan.out.rename(plan.before)
    plan.staging.rename(plan.out)
    _remove(plan.before)
    clear(plan)


def _remove(folder: Path) -> None:
    """Remove a folder, with never a step into what something else may have mounted there."""
    if folder.exists():
        subprocess.run(["/bin/rm", "-rf", "--one-file-system", folder], check=True)


@contextmanager
def alone(work: Path) -> Iterator[int]:
    """Hold the work folder by the file that is yielded; raise `BadInput` when another build does.

    It is held until the last process that has inherited the file has ended.
    """
    lock = work.with_name(f"{work.name}.lock")
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BadInput(f"Another build is at work in {work}. Wait until it is done.") from error
        yield file.fileno()
