"""What `docs/monitoring` promises to Prometheus and Grafana."""

import json
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from allerac.engine.protocol import EngineStatus
from allerac.health import FIGURES, HealthStatus, Metrics

FOLDER = Path(__file__).parents[2] / "docs" / "monitoring"
NAME = re.compile(r"allerac_[a-z_]+")


def exposed() -> set[str]:
    """Return the names that a box tells, with those of its counters and histograms."""
    metrics = Metrics()
    totals = {"memory_bytes": 1, "disk_bytes": 1}
    figures = dict.fromkeys(FIGURES, 1.0)
    status = HealthStatus(datetime.now(UTC), None, figures, totals, [], frozenset(), [])
    metrics.watch(lambda: status, lambda: EngineStatus(state="ready"))
    families = re.findall(r"^# TYPE (\S+) (\S+)$", metrics.text().decode(), re.MULTILINE)
    names = {name for name, _ in families}
    return names | {f"{name}_bucket" for name, kind in families if kind == "histogram"}


def test_every_name_in_dashboard_rules_and_words_is_one_that_a_box_tells() -> None:
    told = exposed()
    for file in ("grafana.json", "alerts.yml", "README.md"):
        asked = set(NAME.findall((FOLDER / file).read_text()))
        assert asked, file
        assert asked <= told, f"{file}: {sorted(asked - told)}"


def test_the_dashboard_has_panels_with_questions() -> None:
    dashboard = json.loads((FOLDER / "grafana.json").read_text())
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(ids) == len(set(ids)) >= 12
    assert all(target["expr"] for panel in dashboard["panels"] for target in panel["targets"])


def test_prometheus_takes_the_rules() -> None:
    done = subprocess.run(
        ["promtool", "check", "rules", str(FOLDER / "alerts.yml")],  # noqa: S607 - the distribution's
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "5 rules found" in done.stdout
