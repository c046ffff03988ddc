"""What GRUB is given: a script it can read, blocks it can write."""

import subprocess
from pathlib import Path

from allerac_image.grub import BLOCK_BYTES, FRESH, environment_block, grub_configuration
from allerac_image.plan import IMAGE
from allerac_image.slot import root_hash_of, slot_configuration
from tests.image.plans import plan_below

TEMPLATE = (IMAGE / "files" / "grub.cfg").read_text("utf-8")


def test_grub_can_read_the_script(tmp_path: Path) -> None:
    script = tmp_path / "grub.cfg"
    script.write_text(grub_configuration(plan_below(tmp_path), TEMPLATE))
    checked = subprocess.run(["/usr/bin/grub-script-check", script], capture_output=True, text=True)
    assert (checked.returncode, checked.stderr) == (0, "")


def test_the_script_names_this_disks_slots_and_leaves_nothing_open(tmp_path: Path) -> None:
    plan = plan_below(tmp_path)
    script = grub_configuration(plan, TEMPLATE)
    assert f"start A 2 {plan.uuid('partition/root-A')}" in script
    assert f"start B 3 {plan.uuid('partition/root-B')}" in script
    assert "@" not in script


def test_an_environment_block_is_one_the_system_can_change(tmp_path: Path) -> None:
    block = tmp_path / "grubenv"
    block.write_bytes(environment_block(*FRESH))
    subprocess.run(["/usr/bin/grub-editenv", block, "set", "A_TRY=2"], check=True)
    listed = subprocess.run(
        ["/usr/bin/grub-editenv", block, "list"], capture_output=True, check=True
    )
    assert listed.stdout.decode().split("\n")[:-1] == [
        "ORDER=A B",
        "A_OK=1",
        "A_TRY=2",
        "B_OK=0",
        "B_TRY=0",
    ]
    assert block.stat().st_size == BLOCK_BYTES


def test_a_slot_says_its_hash_and_restarts_when_it_is_broken(tmp_path: Path) -> None:
    plan = plan_below(tmp_path)
    root_hash = root_hash_of(f"UUID:  x\nRoot hash:      \t{'ab' * 32}\n")
    line = slot_configuration(plan, root_hash, 8192)
    assert f"roothash={'ab' * 32} " in line
    assert "hash-offset=8192,panic-on-corruption" in line
    for parameter in ("panic=10", "rd.shell=0", "rd.emergency=reboot"):
        assert f" {parameter}" in line
    for parameter in plan.tier.image["kernel_parameters"]:
        assert f" {parameter}" in line
