"""What is told of a finished build."""

import json
from pathlib import Path

import pytest

from allerac_image.plan import Plan
from allerac_image.summary import SUMMARY, add_first_start, print_summary, write_summary
from tests.image.plans import plan_below

PARTS = {
    "root.img": 5,
    "boot.img": 4,
    "boot/vmlinuz": 3,
    "boot/initrd": 2,
    "esp/EFI/BOOT/BOOTX64.EFI": 1,
}
STATUS = """\
Package: {name}
Status: install ok installed
Installed-Size: {size}
Architecture: all
Version: 1
"""


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    """A finished build with twenty packages."""
    plan = plan_below(tmp_path)
    status = [STATUS.format(name=f"package-{n}", size=n) for n in range(1, 21)]
    files = {
        plan.root / "var/lib/dpkg/status": "\n".join(status),
        plan.work / "times.jsonl": '{"step": "Roles", "seconds": 110.1}\n',
        plan.staging / "image.raucb": "bundle",
        **{plan.parts / name: "x" * size for name, size in PARTS.items()},
    }
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    write_summary(plan)
    plan.staging.rename(plan.out)
    return plan


def test_sizes_packages_and_times_are_told(plan: Plan, capsys: pytest.CaptureFixture[str]) -> None:
    told = json.loads((plan.out / SUMMARY).read_text())
    assert told["parts"] == PARTS
    assert told["files"] == {"image.raucb": 6}
    assert list(told["largest_packages"])[:2] == ["package-20", "package-19"]
    print_summary(plan)
    said = capsys.readouterr().out
    for line in ("root.img", "package-20", "image.raucb", "Roles", "together"):
        assert f"  {line} " in said


def test_what_a_start_costs_is_added_and_the_rest_stays(plan: Plan) -> None:
    folder = plan.out
    before = json.loads((folder / SUMMARY).read_text())
    for seconds in (110.5, 98.0):
        add_first_start(folder, {"cpu_seconds_to_wizard": seconds})
    after = json.loads((folder / SUMMARY).read_text())
    assert after == before | {"first_start": {"cpu_seconds_to_wizard": 98.0}}
    assert {path.name for path in folder.iterdir()} == {SUMMARY, "image.raucb"}
