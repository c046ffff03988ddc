"""The emulated PC without an emulator: what QEMU is told, and what is made of its answers."""

import gc
import json
import re
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from allerac_image.emulator import (
    FIRMWARE_VARIABLES,
    Emulator,
    Hardware,
    Tap,
    UserNet,
    accelerator,
    command_line,
)
from allerac_image.errors import ImageError
from tests.image.fake_machine import fake_machine, fake_program


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    path = tmp_path / "disk.img"
    path.write_bytes(b"\0" * 512)
    return path


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Callable[..., Emulator]]:
    """Make emulated PCs around the fake; their power is cut afterwards."""
    made: list[Emulator] = []

    def make(**script: Any) -> Emulator:
        made.append(fake_machine(tmp_path / "bench", tmp_path / "case", **script))
        return made[-1]

    yield make
    for emulator in made:
        emulator.kill()


def told(disk: Path, network: Any = None, **hardware: Any) -> str:
    return " ".join(command_line(disk, network, Hardware(**hardware), environment={}))


def test_emulates_with_one_processor_unless_told_otherwise(disk: Path) -> None:
    assert "-accel tcg,thread=multi -cpu max,-erms,-fsrm,-la57,-smap -smp 1" in told(disk)
    assert accelerator({"ALLERAC_ACCEL": "kvm"})[:2] == ("-accel", "kvm")
    assert accelerator({"ALLERAC_ACCEL": ""}) == accelerator({})


def test_refuses_an_accelerator_that_it_does_not_know() -> None:
    with pytest.raises(ImageError, match="ALLERAC_ACCEL is 'warp'; it can be tcg or kvm"):
        accelerator({"ALLERAC_ACCEL": "warp"})


def test_ports_of_the_host_lead_to_the_guest_on_the_loopback_alone(disk: Path) -> None:
    words = told(disk, UserNet({8080: 80, 8443: 443}))
    assert "hostfwd=tcp:127.0.0.1:8080-:80,hostfwd=tcp:127.0.0.1:8443-:443" in words
    assert "restrict=off" in words
    assert "restrict=on" in told(disk, UserNet(restrict=True))


def test_uses_an_interface_that_exists_and_runs_none_of_the_hosts_scripts(disk: Path) -> None:
    assert "-netdev tap,id=net,ifname=tap0,script=no,downscript=no" in told(disk, Tap("tap0"))


def test_has_no_network_card_without_a_network(disk: Path) -> None:
    assert "-nic none" in told(disk)
    assert "-netdev" not in told(disk)


def test_has_a_tpm_and_usb_ports_where_asked(disk: Path) -> None:
    words = told(disk, tpm=Path("/tmp/t.sock"), usb=True)  # noqa: S108  nobody opens it
    assert "socket,id=swtpm,path=/tmp/t.sock -tpmdev emulator,id=tpm,chardev=swtpm" in words
    assert "-device tpm-tis,tpmdev=tpm -device qemu-xhci,id=usb" in words
    assert "-tpmdev" not in told(disk)
    assert "xhci" not in told(disk)


def test_has_a_second_disk_behind_a_controller_of_its_own_where_asked(
    disk: Path, tmp_path: Path
) -> None:
    second = tmp_path / "second.img"
    second.write_bytes(bytes(512))
    words = told(disk, nvme=second)
    assert f"-drive if=none,id=second,format=raw,file={second}" in words
    assert "-device nvme,id=nvme,drive=second,serial=SECOND" in words
    assert "nvme" not in told(disk)


def test_the_second_disk_of_a_machine_without_power_warns_of_nothing(
    machine: Callable[..., Emulator],
) -> None:
    with pytest.raises(ImageError, match="has no power"):
        machine().warn(4)


def test_sector_size_memory_and_clock_are_the_callers(disk: Path) -> None:
    words = told(disk, memory_mb=512, sector_bytes=4096, clock=datetime(1970, 1, 1, tzinfo=UTC))
    assert "logical_block_size=4096,physical_block_size=4096" in words
    assert "-m 512" in words
    assert "-rtc base=1970-01-01T00:00:00" in words


def test_has_a_watchdog_that_resets(disk: Path) -> None:
    assert "-device i6300esb -action watchdog=reset" in told(disk)


def test_a_comma_in_a_folders_name_is_no_option(tmp_path: Path) -> None:
    folder = tmp_path / "a,readonly=on"
    folder.mkdir()
    disk = folder / "disk.img"
    disk.write_bytes(b"")
    assert "a,,readonly=on/disk.img" in told(disk)


def test_recognises_an_overlay_by_its_content(tmp_path: Path, disk: Path) -> None:
    assert "format=raw,file=" + str(disk) in told(disk)
    overlay = tmp_path / "disk.qcow2"
    overlay.write_bytes(b"QFI\xfb\0\0\0\3")
    assert "format=qcow2,file=" + str(overlay) in told(overlay)


def test_runs_in_its_own_folder_with_its_own_firmware_variables(
    machine: Callable[..., Emulator], disk: Path
) -> None:
    emulator = machine()
    emulator.start(disk)
    assert emulator.running
    variables = emulator.folder / FIRMWARE_VARIABLES
    assert variables.read_text() == "as delivered"
    variables.write_text("boot order of this machine")
    emulator.kill()
    emulator.start(disk)
    assert variables.read_text() == "boot order of this machine"
    assert str(disk) in " ".join(json.loads((emulator.folder / "arguments.json").read_text()))


def test_goes_on_from_a_state_that_was_kept(
    machine: Callable[..., Emulator], disk: Path, tmp_path: Path
) -> None:
    emulator = machine()
    emulator.folder.mkdir(parents=True, exist_ok=True)
    (emulator.folder / FIRMWARE_VARIABLES).write_bytes(b"QFI\xfb\0\0\0\3")
    emulator.start(disk, resume="ready")
    words = json.loads((emulator.folder / "arguments.json").read_text())
    assert words[words.index("-loadvm") + 1] == "ready"
    assert f"if=pflash,unit=1,format=qcow2,file={FIRMWARE_VARIABLES}" in words


def test_a_state_of_a_machine_without_power_cannot_be_kept(
    machine: Callable[..., Emulator],
) -> None:
    with pytest.raises(ImageError, match="has no power"):
        machine().save("ready")


def test_a_prefix_stands_in_front_of_the_command(
    machine: Callable[..., Emulator], disk: Path
) -> None:
    emulator = machine()
    emulator.start(disk, prefix=("env", "--"))
    assert emulator.running


def test_tells_what_the_console_says_without_control_sequences(
    machine: Callable[..., Emulator], disk: Path
) -> None:
    emulator = machine(serial="\x1b[2J\x1b[01;01HBdsDxe\r\n\x1b[0;32m  OK  \x1b[0m done\r\n")
    emulator.start(disk)
    emulator.wait_for_serial("done", 20)
    assert emulator.serial == "BdsDxe\n  OK   done\n"


def test_finds_text_on_the_console_after_a_place(
    machine: Callable[..., Emulator], disk: Path
) -> None:
    emulator = machine(serial="slot A\nslot B\n")
    emulator.start(disk)
    first = emulator.wait_for_serial(re.compile(r"slot (\w)"), 20)
    second = emulator.wait_for_serial(r"slot (\w)", 20, after=first.end())
    assert (first[1], second[1]) == ("A", "B")


def test_waiting_in_vain_shows_the_last_lines(machine: Callable[..., Emulator], disk: Path) -> None:
    emulator = machine(serial="Kernel panic\n")
    emulator.start(disk)
    emulator.wait_for_serial("panic", 20)
    with pytest.raises(ImageError, match=r"(?s)Waited 0 s .*'login:'.*Kernel panic"):
        emulator.wait_for_serial("login:", 0)


def test_waiting_for_a_machine_that_ended_does_not_last(
    machine: Callable[..., Emulator], disk: Path
) -> None:
    emulator = machine(serial="bye\n")
    emulator.start(disk)
    emulator.wait_for_serial("bye", 20)
    emulator.kill()
    with pytest.raises(ImageError, match="ended while waiting"):
        emulator.wait_for_serial("login:", 600)


def test_the_power_button_lets_it_end_by_itself(
    machine: Callable[..., Emulator], disk: Path
) -> None:
    emulator = machine()
    emulator.start(disk)
    emulator.power_button()
    emulator.wait_ended(20)
    assert not emulator.running
    with pytest.raises(ImageError, match="no power"):
        emulator.power_button()


def test_leaves_nothing_open_when_it_is_switched_on_again(
    machine: Callable[..., Emulator], disk: Path
) -> None:
    emulator = machine()
    for _ in range(2):
        emulator.start(disk)
        emulator.power_button()
        emulator.wait_ended(10)
    emulator.kill()
    with warnings.catch_warnings(record=True) as left:
        warnings.simplefilter("always", ResourceWarning)
        gc.collect()
    assert [str(one.message) for one in left] == []


def test_says_when_it_does_not_end(machine: Callable[..., Emulator], disk: Path) -> None:
    emulator = machine(deaf=True)
    emulator.start(disk)
    emulator.power_button()
    with pytest.raises(ImageError, match="switch itself off"):
        emulator.wait_ended(0)


def test_a_power_cut_ends_it_at_once_and_a_second_one_nothing(
    machine: Callable[..., Emulator], disk: Path
) -> None:
    with machine() as emulator:
        emulator.start(disk)
        pid = emulator.pid
    assert not emulator.running
    assert not Path(f"/proc/{pid}").exists()
    emulator.kill()


def test_counts_processor_time(machine: Callable[..., Emulator], disk: Path) -> None:
    emulator = machine()
    emulator.start(disk)
    assert 0 < emulator.cpu_seconds < 60


def test_says_what_qemu_complains_about(machine: Callable[..., Emulator], disk: Path) -> None:
    emulator = machine(refuse='Failed to get "write" lock')
    with pytest.raises(ImageError, match='QEMU did not start: Failed to get "write" lock'):
        emulator.start(disk)
    assert not emulator.running


def test_refuses_a_second_start(machine: Callable[..., Emulator], disk: Path) -> None:
    emulator = machine()
    emulator.start(disk)
    with pytest.raises(ImageError, match="running already"):
        emulator.start(disk)


def test_names_the_package_of_a_missing_program(tmp_path: Path, disk: Path) -> None:
    with pytest.raises(ImageError, match="apt-get install qemu-system-x86"):
        Emulator(tmp_path, program="no-such-qemu").start(disk)


def test_names_the_package_of_missing_firmware(tmp_path: Path, disk: Path) -> None:
    program = fake_program(tmp_path)
    with pytest.raises(ImageError, match="apt-get install ovmf"):
        Emulator(tmp_path / "case", program=program, firmware=tmp_path).start(disk)


def test_refuses_a_disk_that_is_not_there(machine: Callable[..., Emulator], tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"no disk .*gone\.img"):
        machine().start(tmp_path / "gone.img")


def test_says_that_it_was_never_started(tmp_path: Path) -> None:
    emulator = Emulator(tmp_path)
    assert emulator.serial == ""
    assert not emulator.running
    with pytest.raises(ImageError, match="never started"):
        _ = emulator.pid
