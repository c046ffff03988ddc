"""How the box is: now, before, and what can be done."""

from typing import Annotated, Literal

from fastapi import Query

from allerac.health import HealthStatus
from allerac.health.service import PERIODS

from .auth import Administrator, SignedIn
from .routing import API, router_at
from .schemas import health as shape
from .services import ServicesOf

router = router_at(f"{API}/health", "health")


def _view(status: HealthStatus) -> shape.Health:
    return shape.Health(
        at=status.at,
        severity=status.severity,
        figures=dict(status.figures),
        totals=dict(status.totals),
        issues=[shape.Issue.of(i, fixable=i.id in status.fixable) for i in status.issues],
        reactions=[shape.Reaction.of(underway) for underway in status.reactions],
    )


@router.get("", operation_id="getBoxHealth")
async def get_health(_: SignedIn, services: ServicesOf) -> shape.Health:
    """Tell what is measured, what is wrong and what the box does about it."""
    return _view(services.health.status())


@router.get("/history", operation_id="getHealthHistory")
async def get_history(
    _: SignedIn, services: ServicesOf, period: Literal["hour", "day", "month"] = "hour"
) -> shape.HealthSeries:
    """Return figures and events of the last hour, day or month, as charts draw them."""
    rows = await services.health.series(period)
    names = sorted({name for row in rows for name, value in row.items() if value is not None})
    return shape.HealthSeries(
        period=period,
        step_seconds=PERIODS[period].step_seconds,
        at=[row["at"] for row in rows],
        figures={name: [row.get(name) for row in rows] for name in names if name != "at"},
        events=[shape.HealthEvent.of(event) for event in await services.health.events(period)],
    )


@router.get("/issues", operation_id="listPastIssues")
async def list_past_issues(
    _: Administrator, services: ServicesOf, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> shape.IssueHistory:
    """List issues that are over, the newest first."""
    past = await services.health.past_issues(limit)
    return shape.IssueHistory(items=[shape.Issue.of(issue, fixable=False) for issue in past])


@router.get("/support", operation_id="getSupportReport")
async def get_support_report(_: Administrator, services: ServicesOf) -> shape.SupportReport:
    """Put together what a helper needs, without secrets, names, or people's words."""
    report = await services.support.report()
    sections = [
        shape.SupportSection(name=section.name, lines=list(section.lines))
        for section in report.sections
    ]
    return shape.SupportReport(made_at=report.made_at, sections=sections)


@router.post("/issues/{issue_id}/fix", operation_id="fixIssue")
async def fix_issue(issue_id: str, _: Administrator, services: ServicesOf) -> shape.Health:
    """Do what the issue offers."""
    return _view(await services.health.fix(issue_id))
