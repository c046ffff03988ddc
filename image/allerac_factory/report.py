"""The report of a station as one HTML page that needs nothing else."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from .findings import Summary, summaries
from .history import UnitHistory, histories
from .ledger import Act
from .standing import standing_of

WIDTH, HEIGHT = 640, 180
"""Of the chart, in its own units."""


@dataclass(frozen=True, slots=True)
class Chart:
    """Finished units over time, as a line of steps: `points` of an SVG polyline."""

    points: str
    begin: str
    end: str
    most: int


def as_html(acts: Sequence[Act], problems: Iterable[str], now: datetime | None = None) -> str:
    """Return the page: every batch with its numbers, chart and failures, then every unit."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    batches = summaries(acts)
    units: list[UnitHistory] = list(histories(acts).values())
    return environment.get_template("report.html.j2").render(
        batches=[(batch, chart_of(batch)) for batch in batches],
        units=[(unit, standing_of(unit)) for unit in units],
        problems=list(problems),
        head=acts[-1].hash if acts else "",
        made=(now or datetime.now(UTC)).strftime("%Y-%m-%d %H:%M UTC"),
        width=WIDTH,
        height=HEIGHT,
    )


def chart_of(batch: Summary) -> Chart | None:
    """Return the chart of a batch, None while nothing is finished."""
    times = sorted(batch.made_at)
    if not times:
        return None
    begin, end = batch.began, times[-1]
    seconds = max((end - begin).total_seconds(), 1.0)
    points = [(0.0, float(HEIGHT))]
    for count, time in enumerate(times, 1):
        x = (time - begin).total_seconds() / seconds * WIDTH
        points += [(x, points[-1][1]), (x, HEIGHT - HEIGHT * count / len(times))]
    points.append((float(WIDTH), points[-1][1]))
    return Chart(
        points=" ".join(f"{x:.1f},{y:.1f}" for x, y in points),
        begin=f"{begin:%Y-%m-%d %H:%M:%S}",
        end=f"{end:%H:%M:%S}",
        most=len(times),
    )
