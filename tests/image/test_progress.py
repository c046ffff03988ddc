"""What a person sees of a step while it goes on."""

import os
from pathlib import Path

import pytest

from allerac_image.errors import CommandFailed
from allerac_image.log import StepLog
from allerac_image.provision import RoleProgress
from bootstrap.image import VENV

PLAY = """
- hosts: all
  gather_facts: false
  roles: [first, second, first]
"""
TASKS = """
- name: Say something
  ansible.builtin.debug:
    msg: hello

- name: Say it again
  ansible.builtin.debug:
    msg: hello
"""


def test_a_line_is_handed_over_and_kept_while_the_program_goes_on(tmp_path: Path) -> None:
    log = StepLog(tmp_path / "log", None)
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    found: list[tuple[str, str]] = []

    def look(line: str) -> None:
        found.append((line, log.path.read_text().splitlines()[-1]))
        fifo.write_text("go on")  # opens when the program has it open: it has not ended

    log.run(["sh", "-c", f"echo begun; cat {fifo} > /dev/null"], on_line=look)
    assert found == [("begun\n", "begun")]


def test_a_program_whose_lines_are_read_fails_like_any_other(tmp_path: Path) -> None:
    log = StepLog(tmp_path / "log", None)
    with pytest.raises(CommandFailed, match="sh ended with status 3"):
        log.run(["sh", "-c", "echo no >&2; exit 3"], on_line=lambda _: None)
    assert log.last_lines().endswith("no")


@pytest.mark.slow
def test_roles_are_told_as_ansible_begins_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "play.yml").write_text(PLAY)
    for role in ("first", "second"):
        tasks = tmp_path / "roles" / role / "tasks"
        tasks.mkdir(parents=True)
        (tasks / "main.yml").write_text(TASKS)
    environment = {**os.environ, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_HOME": str(tmp_path / "home")}
    StepLog(tmp_path / "log", environment).run(
        [VENV / "bin/ansible-playbook", "-i", "localhost,", "-c", "local", tmp_path / "play.yml"],
        on_line=RoleProgress(),
    )
    assert capsys.readouterr().out.split() == ["first", "second"]
