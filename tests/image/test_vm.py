"""`vm` without an emulator: which disk, which ports, and what a person is told."""

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from allerac_image import vm
from allerac_image.emulator import Emulator, UserNet
from allerac_image.errors import BadInput, ImageError
from allerac_image.vm_disk import newest_image, occupied, prepare_disk
from tests.image.fake_machine import fake_machine

CONSOLE = (
    "BdsDxe: starting Boot0001\n"
    "[    0.000000] Linux version 6.12\n"
    "Welcome to Debian GNU/Linux 13 (trixie)!\n"
    "         Starting allerac.service - Allerac...\n"
)
UNCLAIMED = {"claimed": False}


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "out" / "vm" / "allerac-vm-0.1.0.img"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"EFI PART" + bytes(4096))
    return path


@pytest.fixture
def started(tmp_path: Path, image: Path) -> Iterator[Callable[..., vm.Start]]:
    """Start a machine around the fake and return what tells of it."""
    made: list[Emulator] = []

    def start(**script: Any) -> vm.Start:
        emulator = fake_machine(tmp_path / "bench", tmp_path / "case", **script)
        made.append(emulator)
        http, https = vm.free_port(0), vm.free_port(0)
        emulator.start(image, network=UserNet({http: 80, https: 443}))
        return vm.Start(emulator, http, https)

    yield start
    for emulator in made:
        emulator.kill()


def options(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    vm.add_arguments(parser)
    return parser.parse_args(words)


def test_the_newest_image_is_taken_packed_or_not(image: Path, tmp_path: Path) -> None:
    packed = image.with_name("allerac-vm-0.2.0.img.zst")
    packed.write_bytes(b"")
    os.utime(image, (1, 1))
    assert newest_image(tmp_path / "out", "vm") == packed
    os.utime(packed, (0, 0))
    assert newest_image(tmp_path / "out", "vm") == image


def test_says_how_to_make_an_image_when_there_is_none(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="make image TIER=n100"):
        newest_image(tmp_path, "n100")


def test_the_disk_is_the_images_content_on_a_larger_drive(image: Path, tmp_path: Path) -> None:
    disk = prepare_disk(image, tmp_path, 1 << 30, fresh=False)
    assert disk.stat().st_size == 1 << 30
    assert disk.stat().st_blocks * 512 < 1 << 20
    with disk.open("rb") as file:
        assert file.read(8) == b"EFI PART"


def test_a_disk_is_never_smaller_than_its_image(image: Path, tmp_path: Path) -> None:
    disk = prepare_disk(image, tmp_path, 512, fresh=False)
    assert disk.stat().st_size == image.stat().st_size


def test_unpacks_a_packed_image(image: Path, tmp_path: Path) -> None:
    subprocess.run(["zstd", "-q", "--rm", str(image)], check=True)  # noqa: S607 - Debian's
    disk = prepare_disk(image.with_name(f"{image.name}.zst"), tmp_path, 1 << 20, fresh=False)
    assert disk.read_bytes()[:8] == b"EFI PART"


def test_a_torn_image_leaves_no_disk(image: Path, tmp_path: Path) -> None:
    torn = image.with_name("torn.img.zst")
    torn.write_bytes(b"\x28\xb5\x2f\xfdtorn")
    folder = tmp_path / "machine"
    folder.mkdir()
    with pytest.raises(ImageError, match=r"torn\.img\.zst could not be copied"):
        prepare_disk(torn, folder, 1 << 20, fresh=False)
    assert list(folder.iterdir()) == []


def test_a_half_made_disk_is_not_taken_for_a_whole_one(image: Path, tmp_path: Path) -> None:
    (tmp_path / "disk.part").write_bytes(b"half")
    assert prepare_disk(image, tmp_path, 0, fresh=False).read_bytes() == image.read_bytes()


def test_a_second_start_finds_what_the_first_one_left(image: Path, tmp_path: Path) -> None:
    disk = prepare_disk(image, tmp_path, 0, fresh=False)
    disk.write_bytes(b"written by the box")
    assert prepare_disk(image, tmp_path, 0, fresh=False).read_bytes() == b"written by the box"
    assert image.read_bytes()[:8] == b"EFI PART"


def test_a_newer_image_takes_nothing_away_and_is_mentioned(
    image: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    disk = prepare_disk(image, tmp_path, 0, fresh=False)
    disk.write_bytes(b"written by the box")
    image.write_bytes(b"EFI PART, newer")
    assert prepare_disk(image, tmp_path, 0, fresh=False).read_bytes() == b"written by the box"
    assert "FRESH=1" in capsys.readouterr().out


def test_fresh_forgets_the_disk_and_the_firmwares_variables(image: Path, tmp_path: Path) -> None:
    prepare_disk(image, tmp_path, 0, fresh=False).write_bytes(b"written by the box")
    variables = tmp_path / "OVMF_VARS_4M.fd"
    variables.write_text("boot order of this machine")
    assert prepare_disk(image, tmp_path, 0, fresh=True).read_bytes() == image.read_bytes()
    assert not variables.exists()


def test_one_machine_is_not_started_twice(tmp_path: Path) -> None:
    with (
        occupied(tmp_path / "vm"),
        pytest.raises(ImageError, match="running already"),
        occupied(tmp_path / "vm"),
    ):
        pass
    with occupied(tmp_path / "vm"):
        pass


def test_takes_another_port_when_the_wished_one_is_taken() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        wished = taken.getsockname()[1]
        assert vm.free_port(wished) not in {wished, 0}
    free = vm.free_port(0)
    assert vm.free_port(free) == free


def test_tells_each_step_once_then_the_address_and_the_code(
    started: Callable[..., vm.Start], capsys: pytest.CaptureFixture[str]
) -> None:
    start = started(serial=CONSOLE + "Claim code: K7QM-2XRD\n", status=UNCLAIMED)
    start.emulator.wait_for_serial("Claim code", 20)
    start.look()
    start.look()
    told = capsys.readouterr().out
    steps = [line.split("  ")[-1] for line in told.splitlines() if " s  " in line]
    assert steps == ["firmware", "kernel", "system", "services", "wizard answers"]
    assert told.count(f"http://127.0.0.1:{start.http} ") == 1
    assert f"https://127.0.0.1:{start.https}" in told
    assert told.count("Claim code: K7QM-2XRD") == 1


def test_a_service_that_failed_is_told_once(
    started: Callable[..., vm.Start], capsys: pytest.CaptureFixture[str]
) -> None:
    failure = "[\x1b[0;1;31mFAILED\x1b[0m] Failed to start allerac.service - Allerac.\r\n"
    start = started(serial=CONSOLE + failure + failure + "end\n")
    start.emulator.wait_for_serial("end", 20)
    start.look()
    start.look()
    assert capsys.readouterr().out.count("Failed to start allerac.service") == 1


def test_half_a_claim_code_is_not_told(
    started: Callable[..., vm.Start], capsys: pytest.CaptureFixture[str]
) -> None:
    start = started(serial=CONSOLE + "claim code: K7QM-2", status=UNCLAIMED)
    start.emulator.wait_for_serial("code", 20)
    start.look()
    assert "Claim code" not in capsys.readouterr().out


def test_a_claimed_box_answers_without_a_code(
    started: Callable[..., vm.Start], capsys: pytest.CaptureFixture[str]
) -> None:
    start = started(serial=CONSOLE, status={"claimed": True})
    start.emulator.wait_for_serial("allerac", 20)
    start.look()
    told = capsys.readouterr().out
    assert "box answers" in told
    assert "code" not in told


def test_says_nothing_of_an_address_before_the_box_answers(
    started: Callable[..., vm.Start], capsys: pytest.CaptureFixture[str]
) -> None:
    start = started(serial=CONSOLE)
    start.emulator.wait_for_serial("allerac", 20)
    start.look()
    assert "http" not in capsys.readouterr().out


def test_a_proxy_that_says_wait_is_not_the_box(
    started: Callable[..., vm.Start], capsys: pytest.CaptureFixture[str]
) -> None:
    start = started(serial=CONSOLE, status={"error": {"code": "unavailable"}}, code=503)
    start.emulator.wait_for_serial("allerac", 20)
    start.look()
    assert "http" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--tier", "toaster"], "toaster"),
        (["--memory-mb", "64"], "1024 MiB"),
        (["--image", "/no/such.img"], r"no image /no/such\.img"),
    ],
)
def test_refuses_bad_input_before_anything_is_made(
    tmp_path: Path, image: Path, words: list[str], complaint: str
) -> None:
    machines = tmp_path / "machines"
    with pytest.raises(BadInput, match=complaint):
        vm.run(options(*words), out=tmp_path / "out", machines=machines)
    assert not list(machines.rglob("disk*"))


PERSON = """
import sys
from pathlib import Path
from allerac_image import vm
from tests.image.test_vm import options
from tests.image.fake_machine import fake_machine

place = Path(sys.argv[1])

def machine(folder):
    return fake_machine(place / "bench", folder, **SCRIPT)

sys.exit(vm.run(options(), out=place / "out", machines=place / "machines", machine=machine))
"""


@contextmanager
def person(place: Path, **script: Any) -> Iterator["subprocess.Popen[str]"]:
    """Start `vm` as at a terminal: Ctrl-C arrives even where the tests themselves ignore it."""
    command = [sys.executable, "-c", PERSON.replace("SCRIPT", repr(script)), str(place)]
    with subprocess.Popen(
        ["env", "--default-signal=INT", *command],  # noqa: S607  # coreutils
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def read_until(process: "subprocess.Popen[str]", word: str) -> str:
    """Return what is printed up to the line with `word`."""
    text = ""
    for line in process.stdout or ():
        text += line
        if word in line:
            break
    return text


def qemu_runs(place: Path) -> bool:
    """Whether the fake of the machine in `place` is still there."""
    return Path("/proc", (place / "machines" / "vm" / "pid").read_text()).exists()


def test_ctrl_c_shuts_the_box_down_in_order(tmp_path: Path, image: Path) -> None:
    with person(tmp_path, serial=CONSOLE + "claim code: AB-12\n", status=UNCLAIMED) as process:
        assert "Claim code: AB-12" in read_until(process, "Claim code: ")
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read() if process.stdout else ""
        assert process.wait(30) == 0
    assert "Shutting down" in rest
    assert "Power cut" not in rest
    assert not qemu_runs(tmp_path)


def test_a_second_ctrl_c_cuts_the_power(tmp_path: Path, image: Path) -> None:
    with person(tmp_path, serial=CONSOLE, status=UNCLAIMED, deaf=True) as process:
        read_until(process, "http://")
        process.send_signal(signal.SIGINT)
        read_until(process, "Shutting down")
        process.send_signal(signal.SIGINT)
        assert "Power cut" in (process.stdout.read() if process.stdout else "")
        assert process.wait(30) == 0
    assert not qemu_runs(tmp_path)


def test_the_machine_does_not_outlive_a_closed_terminal(tmp_path: Path, image: Path) -> None:
    with person(tmp_path, serial=CONSOLE, status=UNCLAIMED, deaf=True) as process:
        read_until(process, "http://")
        process.send_signal(signal.SIGHUP)
        assert process.wait(30) == 128 + signal.SIGHUP
    assert not qemu_runs(tmp_path)


def test_the_disk_that_the_machine_runs_from_is_its_own(tmp_path: Path, image: Path) -> None:
    with person(tmp_path, serial=CONSOLE, status=UNCLAIMED) as process:
        read_until(process, "http://")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    folder = tmp_path / "machines" / "vm"
    words = " ".join(json.loads((folder / "arguments.json").read_text()))
    assert f"file={folder / 'disk.img'}" in words
    assert str(image) not in words
