"""What a build left, looked at without starting it."""

import json
import re
import subprocess
import sys
from hashlib import file_digest
from pathlib import Path

import pytest

from allerac_image.cli import DEVELOPMENT_KEYS
from allerac_image.inventory import BILL, PACKAGES
from allerac_image.layout import KINDS
from allerac_image.pipeline import STEPS
from allerac_image.plan import REPOSITORY
from allerac_image.summary import SUMMARY
from allerac_release.trust import read_trust
from bootstrap.steps import cache_folder
from tests.image.conftest import BuiltImage, build_image
from tests.image.offline_disk import partition, partitions

AUTHORITY = cache_folder() / "keys" / "ca.crt"
MIB = 1 << 20
LARGEST_BUNDLE = 400_000_000
"""Without models, of a tier without Wi-Fi."""


@pytest.fixture(scope="module")
def parts(vm_image: BuiltImage, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Each partition as a file, by its label."""
    folder = tmp_path_factory.mktemp("parts")
    disk = vm_image.file(".img")
    assert list(partitions(disk)) == list(KINDS)
    return {label: partition(disk, label, folder / label) for label in KINDS}


@pytest.fixture(scope="module")
def slot(parts: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of boot slot A."""
    folder = tmp_path_factory.mktemp("boot") / "slot"
    _run("/usr/bin/unsquashfs", "-quiet", "-no-progress", "-d", folder, parts["boot-A"])
    return folder


@pytest.fixture(scope="module")
def root(parts: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of root A."""
    folder = tmp_path_factory.mktemp("root")
    _run("/usr/bin/fsck.erofs", f"--extract={folder}", parts["root-A"])
    return folder


def _run(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_checksums_are_those_of_the_files(vm_image: BuiltImage, tmp_path: Path) -> None:
    sums = (vm_image.folder / "SHA256SUMS").read_text()
    assert {line.split()[1] for line in sums.splitlines()} >= {
        vm_image.file(suffix).name for suffix in (".img.zst", ".bmap", ".raucb", BILL, PACKAGES)
    }
    raw = vm_image.file(".img")
    with raw.open("rb") as disk:  # which is kept for tests alone, and large
        assert f"{file_digest(disk, 'sha256').hexdigest()}\t{raw.name}" in sums.splitlines()
    others = "".join(line for line in sums.splitlines(True) if not line.endswith(f"\t{raw.name}\n"))
    (tmp_path / "SHA256SUMS").write_text(others)
    folder = ("/usr/bin/env", "-C", vm_image.folder)
    _run(*folder, "sha256sum", "--check", "--strict", tmp_path / "SHA256SUMS")


def test_the_summary_tells_sizes_largest_packages_and_the_time_of_each_step(
    vm_image: BuiltImage,
) -> None:
    told = json.loads((vm_image.folder / SUMMARY).read_text())
    assert {"root.img", "boot.img", "boot/vmlinuz", "boot/initrd"} <= set(told["parts"])
    products = {path.name: path.stat().st_size for path in vm_image.folder.iterdir()}
    assert told["files"].items() <= products.items()
    assert told["files"][vm_image.file(".raucb").name] <= LARGEST_BUNDLE
    sizes = list(told["largest_packages"].values())
    assert len(sizes) >= 10
    assert sizes == sorted(sizes, reverse=True)
    assert [row["step"] for row in told["steps"]] == [step.title for step in STEPS]
    assert all(row["seconds"] >= 0 for row in told["steps"])


def test_what_bmap_writes_is_the_disk(vm_image: BuiltImage, tmp_path: Path) -> None:
    target = tmp_path / "drive"
    with target.open("wb") as drive:
        drive.truncate(vm_image.file(".img").stat().st_size)
    source, bmap = vm_image.file(".img.zst"), vm_image.file(".bmap")
    _run("/usr/bin/bmaptool", "--quiet", "copy", "--bmap", bmap, source, target)
    _run("/usr/bin/cmp", vm_image.file(".img"), target)


def test_the_partition_table_has_no_fault(vm_image: BuiltImage) -> None:
    assert "No errors detected" in _run("/usr/sbin/sfdisk", "--verify", vm_image.file(".img"))


def test_folders_of_data_are_the_runtimes_and_closed_to_others(parts: dict[str, Path]) -> None:
    listed = _run("/usr/sbin/debugfs", "-R", "ls -p /", parts["data"])
    listed += _run("/usr/sbin/debugfs", "-R", "ls -p /allerac", parts["data"])
    rows = [line.split("/")[2:6] for line in listed.splitlines() if line.startswith("/")]
    found = {name: (mode[-3:], owner) for mode, owner, _, name in rows}
    assert found["allerac"] == ("711", "970")
    assert found["models"] == ("755", "970")
    assert found["network"] == found["rauc"] == ("700", "0")


def test_the_root_is_the_one_that_the_boot_slot_names(parts: dict[str, Path], slot: Path) -> None:
    line = (slot / "slot.cfg").read_text()
    found = re.search(r"roothash=(\w+) .*hash-offset=(\d+),panic-on-corruption", line)
    assert found is not None
    image = parts["root-A"]
    _run("/usr/sbin/veritysetup", "verify", image, image, found[1], f"--hash-offset={found[2]}")


def test_the_second_slot_is_empty(parts: dict[str, Path]) -> None:
    for label in ("boot-B", "root-B"):
        assert _holds_only_zeros(parts[label])


def _holds_only_zeros(path: Path) -> bool:
    with path.open("rb") as file:
        return not any(any(block) for block in iter(lambda: file.read(MIB), b""))


def test_the_bundle_is_for_this_tier_and_signed_by_the_machine_that_built_it(
    vm_image: BuiltImage,
) -> None:
    told = _run("/usr/bin/rauc", "info", "--keyring", AUTHORITY, vm_image.file(".raucb"))
    assert re.search(r"Compatible:\s+'allerac-vm'", told)


def test_a_box_takes_no_bundle_before_it_was_published(vm_image: BuiltImage, root: Path) -> None:
    keyring = root / "etc/rauc/keyring.pem"
    command: list[str | Path] = ["/usr/bin/rauc", "info", "--keyring", keyring]
    told = subprocess.run([*command, vm_image.file(".raucb")], capture_output=True, check=False)
    assert told.returncode != 0
    assert b"signature verification failed" in told.stderr


def test_an_image_with_development_keys_says_so(root: Path) -> None:
    trust = read_trust(cache_folder() / DEVELOPMENT_KEYS / "trust")
    assert (root / "etc/rauc/keyring.pem").read_bytes() == trust.keyring.read_bytes()
    assert (root / "usr/share/allerac/updates/root.json").read_bytes() == trust.root.read_bytes()
    assert "DEVELOPMENT=1" in (root / "etc/allerac/release").read_text().splitlines()


def test_a_box_trusts_no_other_bundle(vm_image: BuiltImage, tmp_path: Path) -> None:
    other = tmp_path / "bundle.raucb"
    content = bytearray(vm_image.file(".raucb").read_bytes())
    content[-100] ^= 1
    other.write_bytes(content)
    command: list[str | Path] = ["/usr/bin/rauc", "info", "--keyring", AUTHORITY, other]
    assert subprocess.run(command, capture_output=True, check=False).returncode != 0


@pytest.mark.parametrize("label", ["identity", "data"])
def test_file_systems_that_are_written_to_have_no_fault(parts: dict[str, Path], label: str) -> None:
    _run("/usr/sbin/e2fsck", "-f", "-n", parts[label])


def test_the_bill_names_every_package_and_distribution(vm_image: BuiltImage) -> None:
    bill = json.loads((vm_image.folder / BILL).read_text())
    names = {component["name"] for component in bill["components"]}
    assert {"systemd", "rauc", "nginx", "allerac", "fastapi", "llama-cpp-python", "react"} <= names
    listed = (vm_image.folder / PACKAGES).read_text().splitlines()
    assert len(listed) == len(bill["components"])


def test_the_runtime_in_the_root_starts(root: Path) -> None:
    """With the image's own Python, seeing nothing of this machine's."""
    command = ["/opt/allerac/venv/bin/python", "-I", "-c", "import allerac.app, llama_cpp"]
    _run("/usr/sbin/chroot", root, *command)


@pytest.mark.matrix
def test_a_second_build_from_a_clone_elsewhere_gives_the_same_bytes(
    vm_image: BuiltImage, tmp_path: Path
) -> None:
    clone = tmp_path / "elsewhere"
    _run("/usr/bin/git", "clone", "-q", REPOSITORY, clone)
    _run("/usr/bin/env", "-C", clone, sys.executable, "-m", "bootstrap", "image")
    python = str(clone / ".venv/bin/python")
    again = build_image(tmp_path / "out", source=clone, python=python)
    here = ("/usr/bin/env", "-C", REPOSITORY, sys.executable, "-m", "allerac_image")
    assert _run(*here, "compare", vm_image.folder, again.folder) == "The same bytes.\n"
