"""The wing of the support bundle: what is asked for it, and whose names are taken out."""

import platform
from collections.abc import Mapping, Sequence
from typing import Final

from allerac import __version__
from allerac.app.models import Hardware
from allerac.appliance.journal import read_journal
from allerac.hardware.report import describe_machine
from allerac.health import HealthService
from allerac.health.support import Source, SupportService
from allerac.settings import Settings
from allerac.storage.accounts import AccountStore
from allerac.storage.box import BoxStore

LOG_LINES: Final = 1000
ISSUES: Final = 50


def build_support(
    settings: Settings,
    hardware: Hardware,
    health: HealthService,
    accounts: AccountStore,
    boxes: BoxStore,
) -> SupportService:
    """Return the service over this box."""

    async def versions() -> Mapping[str, object]:
        return {
            "allerac": __version__,
            "python": platform.python_version(),
            "system": platform.platform(),
        }

    async def machine() -> Sequence[str]:
        choice = hardware.choice
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
        return settings.model_dump(mode="json")

    async def log() -> Sequence[str]:
        return await read_journal(LOG_LINES)

    async def names() -> Sequence[tuple[str, str]]:
        people = [(person.name, "person") for person in await accounts.people()]
        return [*people, ((await boxes.load()).name, "box"), (platform.node(), "machine")]

    sources: dict[str, Source] = {
        "versions": versions,
        "machine": machine,
        "health": figures,
        "issues": issues,
        "configuration": configuration,
        "log": log,
    }
    return SupportService(sources, names)
