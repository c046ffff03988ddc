"""An update has waited for long."""

from collections.abc import Iterator

from allerac.health.check import Check, Finding, Severity, View, Words

LONG_DAYS, TOO_LONG_DAYS = 14, 45


def _look(view: View) -> Iterator[Finding]:
    update = view.now.box.update
    if update is None or update.offered_at is None:
        return
    days = (view.now.at - update.offered_at).days
    if days >= LONG_DAYS:
        severity: Severity = "notice" if days < TOO_LONG_DAYS else "warning"
        yield Finding(severity, {"days": days, "version": update.version or "?"})


CHECK = Check(
    code="update_postponed",
    words={
        "en": Words(
            "An update is waiting.",
            "Version {version} came out {days} days ago. Updates close doors that others know of.",
            "Install it, or allow updates at night.",
        ),
        "de": Words(
            "Ein Update wartet.",
            "Version {version} ist seit {days} Tagen da. Updates schließen Türen, die andere "
            "kennen.",
            "Installiere es oder erlaube Updates in der Nacht.",
        ),
    },
    look=_look,
    needs_time_of_day=True,
    closes_after_seconds=0,
    page="/box/updates",
)
