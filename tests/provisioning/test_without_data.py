"""A data partition that cannot be mounted: the box starts far enough to say so and to be helped."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from allerac_rescue.codes import hash_code
from tests.provisioning.own_system import OwnSystem, running_system
from tests.provisioning.test_rescue import Person

LABEL = "K7QM-4XWP"
BROKEN = "/dev/disk/by-partlabel/data"
SPOILED = f"""
mkdir -p /dev/disk/by-partlabel && truncate -s 32M {BROKEN} && mkfs.ext4 -q -b 1024 {BROKEN}
dd if=/dev/zero of={BROKEN} bs=1024 seek=1 count=1 conv=notrunc
"""
NO_RESTART = r"""
mv /usr/bin/systemctl /usr/bin/systemctl.real
printf '#!/bin/sh\n[ "$1" = reboot ] || exec systemctl.real "$@"\n' > /usr/bin/systemctl
chmod 755 /usr/bin/systemctl
"""


@pytest.fixture(scope="module")
def mounts(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the units that systemd makes of the fstab for /data and for /var above it."""
    made, wanted = root / "tmp/made", tmp_path_factory.mktemp("units")
    made.mkdir()
    generator = "/usr/lib/systemd/system-generators/systemd-fstab-generator"
    command = ["/usr/sbin/chroot", str(root), generator, *["/tmp/made"] * 3]  # noqa: S108 - the root's
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    for name in ("data.mount", "var.mount"):
        shutil.copy(made / name, wanted)
        for link in made.glob(f"local-fs.target.*/{name}"):
            folder = wanted / link.parent.name
            folder.mkdir(exist_ok=True)
            (folder / name).symlink_to(f"../{name}")
    shutil.rmtree(made)
    return wanted


@pytest.fixture(scope="module")
def box(root: Path, mounts: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnSystem]:
    """A box whose data partition cannot be mounted, with the label's code beside it."""
    scratch = tmp_path_factory.mktemp("broken")
    with running_system(root, scratch, mounts) as system:
        units = ("allerac-rescue.service", "nginx.service")
        system.wait_for(("systemctl", "is-active", *units), "\n".join(["active"] * len(units)))
        system.ask("rm", "-r", "/data/allerac")  # which a root that is read-only never had
        system.ask("install", "-d", "-m", "0750", "-g", "970", "/identity/rescue")
        keep = 'printf "label:%s\\n" "$0" > /identity/rescue/codes'
        system.ask("sh", "-c", keep, hash_code(LABEL))
        yield system


def test_a_box_starts_without_its_data_and_says_so(box: OwnSystem) -> None:
    box.wait_for(("systemctl", "is-active", "multi-user.target"), "active")
    assert box.property("data.mount", "LoadState") == "loaded"
    assert box.property("data.mount", "ActiveState") != "active"
    assert box.property("allerac.service", "ActiveState") == "inactive"
    status, page = Person(box).get("/")
    assert status == 503
    assert "The disk with your data cannot be opened" in page, page


def test_what_the_system_changes_is_in_memory_then(box: OwnSystem) -> None:
    assert box.ask("findmnt", "--noheadings", "--output=FSTYPE", "/var").strip() == "overlay"
    assert box.ask("touch", "/var/lib/changed") == ""
    changed = "/run/allerac-state/overlay/var/upper/lib/changed"
    assert box.ask("ls", changed).strip() == changed
    assert box.ask("stat", "--format=%a", "/var").strip() == "755"


def test_who_helps_is_not_cut_off_by_the_deadline(box: OwnSystem) -> None:
    timer = ("systemctl", "is-active", "allerac-boot-deadline.timer")
    person = Person(box)
    assert person.get("/rescue/")[0] == 200
    assert box.ask(*timer).strip() == "active"
    assert person.post("/rescue/open", code=LABEL)[0] == 303
    box.wait_for(timer, "inactive")
    assert "Forget everything" in person.get("/rescue/")[1]


def test_the_disk_is_repaired_from_the_page(box: OwnSystem) -> None:
    box.ask("sh", "-c", SPOILED)
    box.ask("sh", "-c", NO_RESTART)
    assert "Bad magic" in box.ask("dumpe2fs", "-h", BROKEN)
    person = Person(box)
    person.post("/rescue/open", code=LABEL)
    assert "Repair the disk" in person.get("/rescue/")[1]
    assert person.post("/rescue/acts/repair", sure="yes")[0] == 303
    person.until("/rescue/acts/repair", "Done.")
    assert re.search(r"Filesystem state:\s+clean", box.ask("dumpe2fs", "-h", BROKEN))
