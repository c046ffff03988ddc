"""Which slot GRUB starts, whatever became of the block in which tries are counted."""

import os
import shutil
from pathlib import Path

import pytest

from allerac_image.grub import BLOCK_BYTES, FRESH, environment_block
from tests.image.emulated_grub import EmulatedGrub, variables

pytestmark = pytest.mark.skipif(
    shutil.which("grub-emu") is None and "CI" not in os.environ,
    reason="needs `grub-emu`: apt install grub-emu",
)

MACHINE = "0123456789abcdef0123456789abcdef"
ON_A = environment_block(
    "ORDER=A B", "A_OK=1", "A_TRY=0", "B_OK=1", "B_TRY=0", f"MACHINE_ID={MACHINE}"
)
ON_B = environment_block(
    "ORDER=B A", "A_OK=1", "A_TRY=0", "B_OK=1", "B_TRY=0", f"MACHINE_ID={MACHINE}"
)
ONLY_A = environment_block(*FRESH)
STARTS = 8
"""Three tries of each slot and a turn of each."""


@pytest.fixture
def grub(tmp_path: Path) -> EmulatedGrub:
    """A disk with two filled slots and no environment block yet."""
    return EmulatedGrub(tmp_path)


def starts(grub: EmulatedGrub, count: int = STARTS) -> str:
    """Switch on `count` times without any slot marking itself good; return the slots."""
    return "".join(grub.switch_on().slot for _ in range(count))


def test_a_disk_from_the_factory_starts_slot_a_and_counts_one_try(tmp_path: Path) -> None:
    grub = EmulatedGrub(tmp_path, slots="A")
    grub.write("grubenv", ONLY_A)
    started = grub.switch_on()
    assert (started.slot, started.complaints) == ("A", [])
    assert variables(grub.read("grubenv"))["A_TRY"] == "1"


def test_a_disk_from_the_factory_never_gives_up_its_only_slot(tmp_path: Path) -> None:
    grub = EmulatedGrub(tmp_path, slots="A")
    grub.write("grubenv", ONLY_A)
    assert starts(grub) == "A" * STARTS


def test_after_three_tries_the_other_slot_has_its_three_and_then_they_take_turns(
    grub: EmulatedGrub,
) -> None:
    grub.write("grubenv", ON_B)
    assert starts(grub) == "BBBAAAAB"


def test_a_slot_that_is_not_ok_is_passed_over(grub: EmulatedGrub) -> None:
    grub.write("grubenv", environment_block("ORDER=B A", "A_OK=1", "A_TRY=0", "B_OK=0", "B_TRY=0"))
    assert starts(grub, 3) == "AAA"


def test_a_slot_that_cannot_be_read_gives_way_in_the_same_start(tmp_path: Path) -> None:
    grub = EmulatedGrub(tmp_path, slots="B")
    grub.write("grubenv", ON_A)
    assert grub.switch_on().slot == "B"


def test_the_kernel_is_told_the_machines_id(grub: EmulatedGrub) -> None:
    grub.write("grubenv", ON_A)
    assert grub.switch_on().machine == f"systemd.machine_id={MACHINE}"


def test_half_an_id_is_not_told(grub: EmulatedGrub) -> None:
    grub.write("grubenv", ON_A.replace(MACHINE[16:].encode() + b"\n", b"\n" + b"#" * 16))
    assert grub.switch_on().machine == ""


def test_without_a_block_the_slots_take_turns(grub: EmulatedGrub) -> None:
    assert starts(grub, 4) == "ABAB"


@pytest.mark.parametrize(
    "content", [b"", bytes(BLOCK_BYTES), b"\xff" * BLOCK_BYTES], ids=["empty", "zeroed", "ones"]
)
def test_with_a_ruined_block_the_slots_take_turns(grub: EmulatedGrub, content: bytes) -> None:
    grub.write("grubenv", content)
    assert starts(grub, 4) == "ABAB"


def test_with_neither_block_a_slot_is_started(grub: EmulatedGrub) -> None:
    grub.remove("turnsenv")
    assert grub.switch_on().slot == "A"


@pytest.mark.slow
@pytest.mark.parametrize("torn_at", range(0, BLOCK_BYTES + 1, 64))
@pytest.mark.parametrize("behind", [ONLY_A, bytes(BLOCK_BYTES)], ids=["old", "zeros"])
def test_a_torn_block_keeps_no_slot_from_being_tried(
    grub: EmulatedGrub, torn_at: int, behind: bytes
) -> None:
    grub.write("grubenv", ON_B[:torn_at] + behind[torn_at:])
    assert set(starts(grub)) == {"A", "B"}
