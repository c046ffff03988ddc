"""The wing of the support bundle: what is asked for it, and whose names are taken out."""

import platform
from collections.abc import Mapping, Sequence
from typing import Final

from allerac import __version__
from allerac.app.ground import Ground
from allerac.appliance.journal import read_journal
from allerac.hardware.report import describe_machine
from allerac.health import HealthService
from allerac.health.support import Source, SupportService

LOG_LINES: Final = 1000
ISSUES: Final = 50


def build_support(ground: Ground, health: HealthService) -> SupportService:
    """Return the service over this box."""

    async def versions() -> Mapping[str, object]:
        return {
            "allerac": __version__,
            "python": platform.python_version(),
            "system": platform.platform(),
        }

    async def machine() -> Sequence[str]:
        hardware, choice = ground.hardware, ground.hardware.choice
        return describe_machine(hardware.machine, choice, hardware.profiles).splitlines()

    async def figures() -> Mapping[str, object]:
        status = health.status()
        return {"severity": status.severity, **status.figures, **status.totals}

    async def issues() -> Sequence[str]:
        open_now = [
            f"open: {issue.check.code} {dict(issue.finding.evidence)}"
            for issue in health.status().issues
        ]
        past = await health.past_issues(ISSUES)
        return [*open_now, *(f"{issue.ended_at}: {issue.check.code}" for issue in past)]

    async def configuration() -> Mapping[str, object]:
        return ground.settings.model_dump(mode="json")

    async def log() -> Sequence[str]:
        return await read_journal(LOG_LINES)

    async def names() -> Sequence[tuple[str, str]]:
        people = [(person.name, "person") for person in await ground.accounts.people()]
        return [*people, ((await ground.boxes.load()).name, "box"), (platform.node(), "machine")]

    sources: dict[str, Source] = {
        "versions": versions,
        "machine": machine,
        "health": figures,
        "issues": issues,
        "configuration": configuration,
        "log": log,
    }
    return SupportService(sources, names)
