"""The disk will be full in days."""

from collections.abc import Iterator

from allerac.health.check import Check, Finding, View, Words

SEEN_DAYS, LEAST_DAYS = 7.0, 2.0
SOON_DAYS, LATER_DAYS = 14.0, 21.0
"""Two days are seen before anything is said: one download of a model is no trend."""


def _look(view: View) -> Iterator[Finding]:
    disk = view.now.machine.disk
    trend = view.history.slope_per_day("disk_free_bytes", SEEN_DAYS)
    if disk is None or trend is None:
        return
    slope, days_seen = trend
    if days_seen < LEAST_DAYS or slope >= 0:
        return
    days = disk.free / -slope
    if days <= view.limit(SOON_DAYS, LATER_DAYS):
        yield Finding("notice", {"days": max(1, round(days))})


CHECK = Check(
    code="disk_filling",
    words={
        "en": Words(
            "The disk fills up.",
            "At the pace of the last days it is full in {days} days.",
            "Remove models or files that you do not need.",
        ),
        "de": Words(
            "Die Platte wird voll.",
            "Geht es so weiter wie in den letzten Tagen, ist sie in {days} Tagen voll.",
            "Entferne Modelle oder Dateien, die du nicht brauchst.",
        ),
    },
    look=_look,
    opens_after_seconds=3600,
    closes_after_seconds=3600,
    page="/box/models",
)
