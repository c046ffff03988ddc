"""Two builds compared, down to a file in a partition."""

import os
import subprocess
from pathlib import Path

import pytest

from allerac_image.cli import main
from allerac_image.compare import compare, compare_trees
from allerac_image.disk import put
from allerac_image.errors import BadInput
from allerac_image.inventory import BILL, PACKAGES
from allerac_image.layout import KINDS, MIB, Partition, disk_bytes, places
from allerac_image.partition_table import write_partition_table
from tests.image.plans import plan_below

TABLE = [
    Partition(1, "root-A", KINDS["root-A"], MIB),
    Partition(2, "boot-A", KINDS["boot-A"], MIB),
    Partition(3, "boot-B", KINDS["boot-B"], MIB),
]
TREE = {"etc/hostname": "allerac\n", "opt/program": "1\n"}


def built(folder: Path, root: dict[str, str], *, slot_b: bytes = b"") -> Path:
    """Write an output folder with a small disk that has `root` as its root."""
    folder.mkdir()
    for name in (BILL, PACKAGES):
        (folder / name).write_text("")
    tree = folder / "tree"
    for name, text in root.items():
        path = tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    erofs, squashfs = folder / "root.erofs", folder / "boot.squashfs"
    constant = ["-T0", "-U00000000-0000-4000-8000-000000000000"]
    _run(["/usr/bin/mkfs.erofs", "--quiet", *constant, erofs, tree])
    _run(
        [
            "/usr/bin/mksquashfs",
            tree / "etc",
            squashfs,
            "-quiet",
            "-no-progress",
            "-all-time",
            "0",
            "-mkfs-time",
            "0",
        ]
    )
    disk = folder / "allerac.img"
    with disk.open("wb") as file:
        file.truncate(disk_bytes(TABLE))
    plan = plan_below(folder)
    ids = [plan.uuid(partition.label) for partition in TABLE]
    write_partition_table(disk, TABLE, 512, plan.uuid("disk"), ids)
    offsets = [offset for _, offset in places(TABLE)]
    put(erofs, disk, offsets[0])
    put(squashfs, disk, offsets[1])
    with disk.open("r+b") as file:
        file.seek(offsets[2])
        file.write(slot_b)
    return folder


def _run(command: list[str | Path]) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "SOURCE_DATE_EPOCH"}
    subprocess.run(command, check=True, capture_output=True, env=environment)


def test_equal_builds_have_no_difference(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = built(tmp_path / "a", TREE), built(tmp_path / "b", TREE)
    assert main(["compare", str(first), str(second)]) == 0
    assert capsys.readouterr().out == "The same bytes.\n"


def test_a_difference_is_told_by_the_path_in_the_root(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = built(tmp_path / "a", TREE)
    second = built(tmp_path / "b", {**TREE, "opt/program": "2\n", "opt/more": ""})
    assert main(["compare", str(first), str(second)]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "root-A: opt/more: only in the second",
        "root-A: opt/program: content",
        "2 differences.",
    ]


def test_other_bytes_of_the_same_files_are_told_too(tmp_path: Path) -> None:
    first = built(tmp_path / "a", TREE)
    second = built(tmp_path / "b", TREE, slot_b=b"not empty")
    assert compare(first, second) == ["boot-B: the same files, other bytes"]


def test_a_compressed_disk_is_compared_like_a_raw_one(tmp_path: Path) -> None:
    first, second = built(tmp_path / "a", TREE), built(tmp_path / "b", TREE)
    _run(["/usr/bin/zstd", "--quiet", "--rm", second / "allerac.img"])
    assert compare(first, second) == []


def test_a_list_that_differs_is_named(tmp_path: Path) -> None:
    first, second = built(tmp_path / "a", TREE), built(tmp_path / "b", TREE)
    (second / PACKAGES).write_text("adduser 3.152 all\n")
    assert compare(first, second) == [f"{PACKAGES}: differs"]


def test_a_folder_without_a_disk_is_refused(tmp_path: Path) -> None:
    first, second = built(tmp_path / "a", TREE), built(tmp_path / "b", TREE)
    (second / "allerac.img").unlink()
    with pytest.raises(BadInput, match="holds no disk"):
        compare(first, second)


def test_permissions_and_targets_of_links_count(tmp_path: Path) -> None:
    for side, mode, target in (("a", 0o644, "x"), ("b", 0o755, "y")):
        tree = tmp_path / side
        tree.mkdir()
        (tree / "file").touch()
        (tree / "file").chmod(mode)
        (tree / "link").symlink_to(target)
    assert list(compare_trees(tmp_path / "a", tmp_path / "b")) == [
        "file: permissions",
        "link: target",
    ]
