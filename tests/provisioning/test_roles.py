"""What can be said of the roles without running them."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from allerac.yaml_files import read_yaml
from allerac_image.debian import load_debian

REPOSITORY = Path(__file__).parents[2]
PROVISIONING = REPOSITORY / "provisioning"
ROLES = sorted(path for path in (PROVISIONING / "roles").iterdir() if path.is_dir())
PROGRAMS = REPOSITORY / ".venv-image" / "bin"
UNITS = sorted(
    path
    for path in PROVISIONING.glob("roles/*/*/etc/systemd/system/*")
    if path.is_file() and path.name != "sandbox.conf"
)


def _tasks(role: Path) -> list[dict[str, Any]]:
    return [task for path in sorted(role.glob("tasks/*.yml")) for task in read_yaml(path)]


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_a_role_says_what_it_takes_and_takes_nothing_else(role: Path) -> None:
    (entry,) = read_yaml(role / "meta" / "argument_specs.yml")["argument_specs"].values()
    assert entry["short_description"]
    options: dict[str, dict[str, Any]] = entry["options"]
    for name, option in options.items():
        assert name.startswith(f"{role.name}_")
        assert option["description"]
        assert option["type"]
    variables = role / "vars" / "main.yml"
    known = {*options, *(read_yaml(variables) if variables.is_file() else {})}
    texts = [path for path in role.rglob("*") if path.suffix in {".yml", ".j2"}]
    used = {
        name
        for path in texts
        for name in re.findall(rf"(?<![\w./-]){role.name}_[a-z_]+", path.read_text("utf-8"))
    }
    registered = {task["register"] for task in _tasks(role) if "register" in task}
    facts = {name for task in _tasks(role) for name in task.get("ansible.builtin.set_fact", {})}
    loops = {task.get("loop_control", {}).get("loop_var") for task in _tasks(role)}
    local = {name for task in _tasks(role) for name in task.get("vars", {})}
    assert used - known - registered - facts - loops - local == set()


def test_the_play_gives_every_role_what_it_requires() -> None:
    (play,) = read_yaml(PROVISIONING / "site.yml")
    given = {entry["role"]: set(entry.get("vars", {})) for entry in play["roles"]}
    assert set(given) == {role.name for role in ROLES}
    for role in ROLES:
        (entry,) = read_yaml(role / "meta" / "argument_specs.yml")["argument_specs"].values()
        assert set(entry["options"]) == given[role.name], role.name


def test_packages_of_the_roles_are_in_the_image_before_they_run() -> None:
    """The image is provisioned without a network."""
    debian = load_debian([])
    present = {*debian.packages, "nginx"}  # nginx-light is nginx with a module
    for role in ROLES:
        for task in _tasks(role):
            wanted = task.get("ansible.builtin.apt", {}).get("name", [])
            if isinstance(wanted, str) and wanted.startswith("{{"):
                wanted = read_yaml(role / "vars" / "main.yml")[wanted.strip("{} ")]
            names = [wanted] if isinstance(wanted, str) else wanted
            assert set(names) <= present, role.name


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_no_unit_waits_for_the_network_or_the_time(unit: Path) -> None:
    text = unit.read_text("utf-8")
    assert "network-online.target" not in text
    assert "time-sync.target" not in text


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_ansible_lint_has_nothing_to_say(tmp_path: Path) -> None:
    checked = subprocess.run(
        [PROGRAMS / "ansible-lint", "--nocolor", "-q"],
        cwd=PROVISIONING,
        env={"PATH": f"{PROGRAMS}:/usr/bin:/bin", "HOME": str(tmp_path), "LANG": "C.UTF-8"},
        stdin=subprocess.DEVNULL,  # Ansible refuses one that does not block, as a worker may have
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
