"""Figures for Prometheus: https://prometheus.io/docs/instrumenting/exposition_formats/.

Names follow https://prometheus.io/docs/practices/naming/; none carries a person or a text.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from allerac.engine.protocol import EngineStatus, Finished
from allerac.hardware.sensors import Drive

from .service import HealthStatus

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
REQUEST_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
FIRST_TOKEN_BUCKETS: Final = (0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 60.0, 180.0)
ENGINE_STATES: Final = ("stopped", "starting", "loading", "ready", "failed")
_GAUGES: Final = {
    "temperature_celsius": ("temperature_celsius", 1.0, "Hottest sensor of the processor."),
    "cpu_percent": ("cpu_use_ratio", 0.01, "Share of all processors in use."),
    "frequency_hertz": ("cpu_frequency_hertz", 1.0, "Mean frequency of the processors."),
    "throttle_events": ("cpu_throttle_events", 1.0, "Times slowed for heat since boot."),
    "power_watts": ("power_watts", 1.0, "Power of the processor."),
    "fan_turns": ("fan_turns_per_minute", 1.0, "Fastest fan."),
    "memory_available_bytes": ("memory_available_bytes", 1.0, "Memory programs can take."),
    "swap_used_bytes": ("swap_used_bytes", 1.0, "Swap in use."),
    "swapped_pages_per_second": ("swapped_pages_per_second", 1.0, "Pages moved either way."),
    "memory_pressure_percent": ("memory_waiting_ratio", 0.01, "Time in which work waits (PSI)."),
    "io_pressure_percent": ("io_waiting_ratio", 0.01, "Time in which work waits (PSI)."),
    "disk_free_bytes": ("disk_free_bytes", 1.0, "Free on the disk of the data."),
    "disk_read_bytes_per_second": ("disk_read_bytes_per_second", 1.0, "Read from all disks."),
    "disk_written_bytes_per_second": (
        "disk_written_bytes_per_second",
        1.0,
        "Written to all disks.",
    ),
    "tokens_per_second": ("engine_tokens_per_second", 1.0, "Mean speed of writing."),
}
"""Figure, name, factor to the base unit, help; the engine itself tells of its queue."""


class Metrics:
    """Counts what happens; the rest is asked when Prometheus asks."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        registry = self._registry
        self._requests = Counter(
            "allerac_http_requests",
            "Requests answered.",
            ("method", "route", "status"),
            registry=registry,
        )
        self._latency = Histogram(
            "allerac_http_request_duration_seconds",
            "Time until the answer began.",
            ("route",),
            buckets=REQUEST_BUCKETS,
            registry=registry,
        )
        self._answers = Counter(
            "allerac_answers", "Answers that ended.", ("reason",), registry=registry
        )
        self._prompt_tokens = Counter(
            "allerac_prompt_tokens",
            "Tokens of prompts, by whether they were known already.",
            ("source",),
            registry=registry,
        )
        self._completion_tokens = Counter(
            "allerac_completion_tokens", "Tokens written.", registry=registry
        )
        self._first_token = Histogram(
            "allerac_first_token_seconds",
            "Time from the request to its first token.",
            buckets=FIRST_TOKEN_BUCKETS,
            registry=registry,
        )

    def watch(self, health: Callable[[], HealthStatus], engine: Callable[[], EngineStatus]) -> None:
        """Ask these two at every scrape."""
        self._registry.register(_Asked(health, engine))

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request; `route` is its operation, never an address with ids in it."""
        self._requests.labels(method, route, str(status)).inc()
        self._latency.labels(route).observe(seconds)

    def answer(self, finished: Finished) -> None:
        """Count an answer that came to its end."""
        usage = finished.usage
        self._answers.labels(finished.reason).inc()
        self._prompt_tokens.labels("cache").inc(usage.cached_tokens)
        self._prompt_tokens.labels("read").inc(usage.prompt_tokens - usage.cached_tokens)
        self._completion_tokens.inc(usage.completion_tokens)
        if usage.completion_tokens:
            self._first_token.observe(usage.first_token_seconds)

    def failure(self, code: str) -> None:
        """Count an answer that ended with an error."""
        self._answers.labels(code).inc()

    def text(self) -> bytes:
        """Return everything in Prometheus' form."""
        return generate_latest(self._registry)


class _Asked(Collector):
    """Gauges that are true at the moment of the scrape."""

    def __init__(
        self, health: Callable[[], HealthStatus], engine: Callable[[], EngineStatus]
    ) -> None:
        self._health = health
        self._engine = engine

    def collect(self) -> Iterator[Metric]:
        """Yield one family after the other."""
        health, engine = self._health(), self._engine()
        for figure, (name, factor, explained) in _GAUGES.items():
            if figure in health.figures:
                value = health.figures[figure] * factor
                yield GaugeMetricFamily(f"allerac_{name}", explained, value)
        for name, total in health.totals.items():
            kind = name.removesuffix("_bytes")
            yield GaugeMetricFamily(f"allerac_{kind}_size_bytes", f"Size of the {kind}.", total)
        issues = GaugeMetricFamily(
            "allerac_issue", "1 while it lasts.", labels=("code", "subject", "severity")
        )
        for issue in health.issues:
            finding = issue.finding
            issues.add_metric((issue.check.code, finding.subject, finding.severity), 1)
        yield issues
        reactions = GaugeMetricFamily("allerac_reaction", "1 while it lasts.", labels=("code",))
        for underway in health.reactions:
            reactions.add_metric((underway.reaction.code,), 1)
        yield reactions
        yield from _of_drives(health.drives)
        yield from _of_engine(engine)


def _share(percent: float | None) -> float | None:
    return None if percent is None else percent / 100


_OF_DRIVES: Final[Mapping[str, tuple[str, Callable[[Drive], float | None]]]] = {
    "failing": ("1 where it says so itself.", lambda drive: float(drive.failing)),
    "worn_ratio": ("Share of its life used up.", lambda drive: _share(drive.worn_percent)),
    "spare_ratio": ("Share of its spare left.", lambda drive: _share(drive.spare_percent)),
    "temperature_celsius": ("Its own sensor.", lambda drive: drive.celsius),
}


def _of_drives(drives: Sequence[Drive]) -> Iterator[Metric]:
    """Yield what drives say of themselves; what one does not say is left out."""
    for name, (explained, told) in _OF_DRIVES.items():
        family = GaugeMetricFamily(f"allerac_drive_{name}", explained, labels=("drive",))
        for drive in drives:
            if (value := told(drive)) is not None:
                family.add_metric((drive.name,), value)
        yield family


def _of_engine(engine: EngineStatus) -> Iterator[Metric]:
    states = GaugeMetricFamily("allerac_engine_state", "1 for the one it is in.", labels=("state",))
    for state in ENGINE_STATES:
        states.add_metric((state,), float(engine.state == state))
    yield states
    yield GaugeMetricFamily("allerac_engine_active", "Answers being written.", engine.active)
    yield GaugeMetricFamily("allerac_engine_waiting", "Requests in line.", engine.waiting)
    yield GaugeMetricFamily("allerac_engine_restarts", "Since the start.", engine.restarts)
