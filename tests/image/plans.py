"""A plan of a build for tests, with everything below one folder."""

import dataclasses
from pathlib import Path

from allerac_image.plan import Plan

EPOCH = 1_790_000_000


def plan_below(folder: Path, **changes: object) -> Plan:
    """Return a plan for the `vm` tier that touches nothing outside `folder`."""
    plan = Plan(
        tier_id="vm",
        version="9.8.7",
        commit="0" * 40,
        epoch=EPOCH,
        work=folder / "work",
        out=folder / "out",
        cache=folder / "cache",
        keys=folder / "keys",
        trust=folder / "trust",
        updates_from="",
        ansible=folder / "ansible-playbook",
        playbook=folder / "site.yml",
        preload=False,
        keep_raw=False,
        sector_bytes=512,
    )
    return dataclasses.replace(plan, **changes)  # type: ignore[arg-type]  # fields by name
