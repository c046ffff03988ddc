"""The roles of `provisioning/` are run over the root."""

import json
import os
import re
import shlex
from collections.abc import Sequence
from pathlib import Path

from allerac_release.trust import read_trust

from .chroot import run_with_mounts
from .errors import CommandFailed, ImageError
from .log import StepLog, Words, clean_environment, say
from .plan import IMAGE, PROFILES, REPOSITORY, Plan

PYTHON = "/usr/bin/python3"
STRATEGY = {"ANSIBLE_STRATEGY": "mitogen_linear"}
"""How a play goes into a root that is made here (`write_hosts`), told in Ansible's environment.

A machine of somebody's gets Ansible's own: Mitogen cannot fetch what a module lacks there.
"""

TASK = re.compile(r"TASK \[(\w+) : ")
"""How Ansible begins a task of a role."""


def provision(plan: Plan, log: StepLog) -> None:
    """Turn the Debian root into Allerac's; what is installed comes from the root and wheelhouse."""
    policy = plan.root / "usr/sbin/policy-rc.d"
    policy.write_bytes((IMAGE / "files" / "policy-rc.d").read_bytes())
    policy.chmod(0o755)
    variables = plan.work / "variables.json"
    variables.write_text(json.dumps(role_variables(plan), indent=2))
    hosts = write_hosts(plan.work, ["/usr/sbin/chroot", plan.root])
    command: Words = [plan.ansible, "-i", hosts, plan.playbook]
    try:
        run_with_mounts(
            plan.root,
            log,
            [*command, "-e", f"@{variables}"],
            name="ansible-playbook",
            environment={**clean_environment(plan.epoch), **_ansible_settings(plan)},
            cwd=plan.playbook.parent,
            on_line=RoleProgress(),
        )
    except CommandFailed as error:
        raise ImageError(
            "A role failed. There is no network at this point: a Debian package that a role wants "
            "must be named in image/packages/common.yaml."
        ) from error
    finally:
        policy.unlink(missing_ok=True)


def write_hosts(folder: Path, enter: Sequence[str | Path]) -> Path:
    """Write the inventory with one machine, whose programs `enter` begins; return the file."""
    interpreter = shlex.join([*map(str, enter), PYTHON])
    host = {
        "ansible_connection": "mitogen_chroot",
        "ansible_python_interpreter": interpreter,
    }
    file = folder / "hosts.json"
    file.write_text(json.dumps({"all": {"hosts": {"root": host}}}, indent=2))
    return file


class RoleProgress:
    """Says each role once, when Ansible begins it: the step is the longest of all."""

    def __init__(self) -> None:
        self._role = ""

    def __call__(self, line: str) -> None:
        found = TASK.match(line)
        if found is not None and found[1] != self._role:
            self._role = found[1]
            say(f"           {self._role}")


def role_variables(plan: Plan) -> dict[str, object]:
    """Return what the roles are told about this build."""
    trust = read_trust(plan.trust)
    return {
        "target": "image",
        "tier": plan.tier_id,
        "version": plan.version,
        "profile": plan.tier.profile,
        "build_epoch": plan.epoch,
        "source_dir": str(REPOSITORY),
        "hardware_profiles_dir": str(PROFILES),
        "web_dir": str(REPOSITORY / "onboarding_ui" / "dist"),
        "wheelhouse": str(plan.wheelhouse),
        "rauc_keyring": str(trust.keyring),
        "tuf_root": str(trust.root),
        "updates_from": plan.updates_from,
        "development": trust.development,
    }


def _ansible_settings(plan: Plan) -> dict[str, str]:
    return {
        **STRATEGY,
        "ANSIBLE_HOME": str(plan.work / "ansible"),
        "ANSIBLE_LOCAL_TEMP": str(plan.work / "ansible" / "tmp"),
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_NOCOWS": "1",
        "PATH": f"{plan.ansible.parent}{os.pathsep}{clean_environment(plan.epoch)['PATH']}",
    }
