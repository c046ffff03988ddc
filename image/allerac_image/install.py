"""`install`: an Allerac of a Debian machine that exists, by the roles that make the image."""

import argparse
import json
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from bootstrap.steps import cache_folder

from .errors import BadInput, ImageError
from .log import StepLog, say
from .plan import PROFILES, REPOSITORY, Plan
from .source import read_source
from .tier import load_tier
from .wheelhouse import DEBIAN_12, DEBIAN_13, Target, prepare_wheelhouse

WORK = REPOSITORY / ".build" / "install"
PLAYBOOK = REPOSITORY / "provisioning" / "site.yml"
RELEASE_FILE = "/etc/os-release"
TARGETS = {"12": DEBIAN_12, "13": DEBIAN_13}
HOST = re.compile(r"([\w.-]+@)?[A-Za-z0-9][\w.-]*")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what `install` understands."""
    parser.add_argument("--tier", default="vm", help="hardware profile of the machine (vm)")
    parser.add_argument("--host", default="", help="[user@]machine for ssh; this machine without")


def run(options: argparse.Namespace) -> int:
    """Gather what the machine needs and run the roles over it; returns Ansible's exit status."""
    tier = load_tier(options.tier, PROFILES)
    if options.host and HOST.fullmatch(options.host) is None:
        raise BadInput(f"{options.host!r} is no machine's name; HOST=user@machine")
    target = target_of(_ask(options.host, "cat", RELEASE_FILE))
    become = must_become_root(options.host)
    plan = plan_for(tier.id)
    shutil.rmtree(plan.work, ignore_errors=True)
    log = StepLog(plan.logs / "wheelhouse.log", None)
    say(f"▸ Python packages and engine for Python {target.python_version}")
    try:
        prepare_wheelhouse(plan, log, target)
    except ImageError as error:
        raise ImageError(f"{error}\n{log.last_lines()}\nThe whole log: {log.path}") from error
    say("▸ Roles of provisioning/")
    command = [*play(plan, options.host), *(["--become"] if become else [])]
    return subprocess.run(command, cwd=PLAYBOOK.parent, check=False).returncode


def target_of(release: str) -> Target:
    """Return the target that an os-release(5) file describes; `BadInput` for any but Debian."""
    fields = dict(re.findall(r'^(\w+)="?([^"\n]*)"?$', release, re.MULTILINE))
    if fields.get("ID") != "debian" or fields.get("VERSION_ID") not in TARGETS:
        name = fields.get("PRETTY_NAME", "another system")
        raise BadInput(f"Allerac runs on Debian 12 and 13; this is {name}.")
    return TARGETS[fields["VERSION_ID"]]


def play(plan: Plan, host: str) -> Sequence[str | Path]:
    """Write what the roles are told and return the command that runs them."""
    variables = plan.work / "variables.json"
    told = {
        "target": "machine",
        "tier": plan.tier_id,
        "version": plan.version,
        "profile": plan.tier.profile,
        "source_dir": str(REPOSITORY),
        "web_dir": str(REPOSITORY / "onboarding_ui" / "dist"),
        "wheelhouse": str(plan.wheelhouse),
    }
    variables.write_text(json.dumps(told, indent=2))
    where = ["-i", f"{host},"] if host else ["-i", "localhost,", "-c", "local"]
    return [plan.ansible, *where, plan.playbook, "-e", f"@{variables}"]


def must_become_root(host: str) -> bool:
    """Return whether who signs in on `host` is not root there; raise `BadInput` when nobody can be.

    Without a host it is about whoever runs this.
    """
    if not host:
        if os.geteuid() != 0:
            raise BadInput("Allerac is installed as root: sudo make install")
        return False
    if _ask(host, "id", "-u").strip() == "0":
        return False
    try:
        _ask(host, "sudo", "-n", "true")
    except ImageError as error:
        raise BadInput(
            f"Allerac is installed as root, and {host} may not use sudo without a password there: "
            "HOST=root@machine"
        ) from error
    return True


def _ask(host: str, *words: str) -> str:
    """Return what a command prints on `host`, or here."""
    command = ["ssh", "--", host, *words] if host else list(words)
    try:
        found = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        said = getattr(error, "stderr", "") or str(error)
        raise ImageError(f"{host or 'This machine'} did not answer: {said.strip()}") from error
    return found.stdout


def plan_for(tier: str) -> Plan:
    """Return the plan of an installation: what a build would make, as far as packages go."""
    source = read_source(REPOSITORY)
    cache = cache_folder()
    return Plan(
        tier_id=tier,
        version=source.version,
        commit=source.commit,
        epoch=source.epoch,
        work=WORK / tier,
        out=WORK / tier / "out",
        cache=cache,
        keys=cache / "keys",
        trust=cache / "keys" / "trust",
        updates_from="",
        ansible=REPOSITORY / ".venv-image" / "bin" / "ansible-playbook",
        playbook=PLAYBOOK,
        preload=False,
        keep_raw=False,
        sector_bytes=512,
    )
