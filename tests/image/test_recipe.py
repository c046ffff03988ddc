"""What a root is made of, and the kept one."""

import io
import tarfile
from pathlib import Path

import pytest
import yaml

from allerac_image.debian import (
    architecture_of,
    keep_firmware,
    kept_root,
    load_debian,
    prepare_root,
)
from allerac_image.errors import BadInput
from allerac_image.log import StepLog
from allerac_image.mirror import Repository, find_repositories, source_lines
from allerac_image.plan import IMAGE, REPOSITORY
from allerac_image.seal import remove, remove_files
from tests.image.plans import plan_below

SUITES = {"Debian": ["trixie", "trixie-updates"], "Debian-Security": ["trixie-security"]}


def kept_tar(path: Path, status: str) -> Path:
    """Write a tar with nothing but dpkg's list of packages."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = status.encode()
    with tarfile.open(path, "w") as tar:
        member = tarfile.TarInfo("./var/lib/dpkg/status")
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
    return path


def packages_of_roles() -> set[str]:
    """Return every Debian package that a role for the image names."""
    names: set[str] = set()
    for tasks in (REPOSITORY / "provisioning" / "roles").glob("*/tasks/*.yml"):
        for task in yaml.safe_load(tasks.read_text("utf-8")) or []:
            wanted = task.get("ansible.builtin.apt", {}).get("name", [])
            if isinstance(wanted, str) and "{{" in wanted:
                variable = wanted.strip("{} ")
                wanted = yaml.safe_load((tasks.parents[1] / "vars" / "main.yml").read_text())[
                    variable
                ]
            names |= {wanted} if isinstance(wanted, str) else set(wanted)
    return names


def test_the_root_has_every_package_that_a_role_wants() -> None:
    assert packages_of_roles() <= set(load_debian([]).packages)


def test_the_key_changes_with_packages_and_options_and_with_nothing_else() -> None:
    debian = load_debian(["linux-image-amd64"])
    assert debian.key == load_debian(["linux-image-amd64"]).key
    assert debian.key != load_debian(["linux-image-cloud-amd64"]).key


def test_no_recipe_holds_an_address() -> None:
    for pattern in ("*.yaml", "packages/*", "files/*", "packer/*"):
        for path in IMAGE.glob(pattern):
            assert "://" not in path.read_text("utf-8"), path


def test_the_hosts_apt_says_where_debian_is() -> None:
    answer = "Debian|mirror:/a/\nDebian|mirror:/b/\nDebian-Security|mirror:/s/\nOther|mirror:/o/\n"
    assert find_repositories(lambda _: answer, SUITES) == [
        Repository("mirror:/a/", ["trixie", "trixie-updates"]),
        Repository("mirror:/s/", ["trixie-security"]),
    ]


def test_sources_name_each_suite_with_its_keyring() -> None:
    lines = source_lines([Repository("mirror:/a/", ["x", "y"])], ["main", "extra"], "/k.gpg")
    assert lines == (
        "deb [signed-by=/k.gpg] mirror:/a/ x main extra\n"
        "deb [signed-by=/k.gpg] mirror:/a/ y main extra\n"
    )


def test_a_machine_whose_apt_knows_no_debian_is_told_what_to_do() -> None:
    with pytest.raises(BadInput, match="apt-get update"):
        find_repositories(lambda _: "", SUITES)


def test_the_architecture_of_a_kept_root_is_its_dpkgs(tmp_path: Path) -> None:
    status = "Package: adduser\nArchitecture: all\n\nPackage: dpkg\nArchitecture: arm64\n"
    assert architecture_of(kept_tar(tmp_path / "root.tar", status)) == "arm64"


def test_a_kept_root_of_another_architecture_is_refused(tmp_path: Path) -> None:
    plan = plan_below(tmp_path)
    kept = kept_root(plan, load_debian(plan.tier.packages))
    kept_tar(kept, "Package: dpkg\nArchitecture: arm64\n")
    with pytest.raises(BadInput, match="arm64, not for amd64"):
        prepare_root(plan, StepLog(tmp_path / "log", None))


def test_a_kept_root_that_is_no_tar_is_refused(tmp_path: Path) -> None:
    plan = plan_below(tmp_path)
    kept = kept_root(plan, load_debian(plan.tier.packages))
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"half a file")
    with pytest.raises(BadInput, match="Remove the file"):
        prepare_root(plan, StepLog(tmp_path / "log", None))


def test_only_firmware_that_the_tier_keeps_stays(tmp_path: Path) -> None:
    for name in ("i915/adlp_dmc.bin", "i915/old.bin", "amdgpu/x.bin", "rtl_nic/a.fw"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    keep_firmware(tmp_path, ["i915/adl*", "rtl_nic/*"])
    left = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*"))
    assert left == ["i915", "i915/adlp_dmc.bin", "rtl_nic", "rtl_nic/a.fw"]


def test_removing_a_link_leaves_what_it_leads_to(tmp_path: Path) -> None:
    target = tmp_path / "kept" / "file"
    target.parent.mkdir()
    target.touch()
    (tmp_path / "link").symlink_to("kept")
    remove(tmp_path, ["link", "missing", "missing/*"])
    assert target.exists()
    assert not (tmp_path / "link").is_symlink()


def test_folders_stay_where_only_files_go(tmp_path: Path) -> None:
    log = tmp_path / "log" / "nginx" / "access.log"
    log.parent.mkdir(parents=True)
    log.touch()
    (tmp_path / "log" / "link").symlink_to("nginx")
    remove_files(tmp_path / "log")
    assert [path.name for path in (tmp_path / "log").rglob("*")] == ["nginx"]
