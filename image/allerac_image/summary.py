"""What a build made, how large it is and what took how long."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .contents import debian_packages, python_distributions
from .log import say
from .plan import Plan

SUMMARY = "build-summary.json"
LARGEST = 12
MB = 1_000_000


def write_summary(plan: Plan) -> None:
    """Write `build-summary.json` next to the products; sizes are bytes."""
    everything = [*debian_packages(plan.root), *python_distributions(plan.root)]
    largest = sorted(everything, key=lambda one: one.size_bytes, reverse=True)[:LARGEST]
    times = (plan.work / "times.jsonl").read_text().splitlines()
    summary = {
        "name": plan.name,
        "tier": plan.tier_id,
        "version": plan.version,
        "commit": plan.commit,
        "epoch": plan.epoch,
        "parts": part_sizes(plan.parts),
        "files": {
            path.name: path.stat().st_size
            for path in sorted(plan.staging.iterdir())
            if path.is_file()
        },
        "largest_packages": {one.name: one.size_bytes for one in largest},
        "steps": [json.loads(line) for line in times],
    }
    (plan.staging / SUMMARY).write_text(json.dumps(summary, indent=2) + "\n")


def add_first_start(folder: Path, figures: Mapping[str, float]) -> None:
    """Add to the summary in `folder` what a start of its image cost: a build starts nothing.

    `figures` have their units in their names.
    """
    path = folder / SUMMARY
    summary = json.loads(path.read_text()) | {"first_start": dict(figures)}
    part = path.with_suffix(".part")
    part.write_text(json.dumps(summary, indent=2) + "\n")
    part.replace(path)


def part_sizes(parts: Path) -> dict[str, int]:
    """Return the size of what goes into each partition, and of the two files in the boot slot."""
    names = ("root.img", "boot.img", "boot/vmlinuz", "boot/initrd", "esp/EFI/BOOT/BOOTX64.EFI")
    return {name: (parts / name).stat().st_size for name in names}


def print_summary(plan: Plan) -> None:
    """Print the summary of a finished build as tables."""
    summary: dict[str, Any] = json.loads((plan.out / SUMMARY).read_text())
    for title, sizes in (
        ("Parts", summary["parts"]),
        ("Largest packages", summary["largest_packages"]),
        ("Files", summary["files"]),
    ):
        say(f"\n{title}")
        for name, size in sizes.items():
            say(f"  {name:44} {size / MB:9.1f} MB")
    say("\nTime")
    for step in summary["steps"]:
        say(f"  {step['step']:44} {step['seconds']:9.1f} s")
    say(f"  {'together':44} {sum(step['seconds'] for step in summary['steps']):9.1f} s")
    say(f"\n{plan.out} holds {plan.name}.")
