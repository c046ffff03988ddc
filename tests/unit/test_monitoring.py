"""What `docs/monitoring` promises to Prometheus and Grafana."""

import json
import re
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from allerac.engine.protocol import EngineStatus
from allerac.hardware.sensors.drives import drive_of
from allerac.health import FIGURES, HealthStatus, Metrics
from tests.recorded_machine import SMART_NVME

FOLDER = Path(__file__).parents[2] / "docs" / "monitoring"
NAME = re.compile(r"allerac_[a-z_]+")


BOX = 'instance="kitchen",job="allerac"'
MINUTES = 60
WELL: dict[str, str] = {
    f"up{{{BOX}}}": "1+0x60",
    f'allerac_issue{{{BOX},code="link_slow",severity="notice",subject="enp1s0"}}': "1+0x60",
    f'allerac_first_token_seconds_bucket{{{BOX},le="1.0"}}': "0+10x60",
    f'allerac_first_token_seconds_bucket{{{BOX},le="+Inf"}}': "0+10x60",
    f'allerac_http_requests_total{{{BOX},route="getBox",status="200"}}': "0+600x60",
    f'allerac_http_requests_total{{{BOX},route="getBox",status="404"}}': "0+600x60",
}
"""A box that is well for an hour, a value a minute: docs of `promtool test rules`."""

TROUBLE: list[tuple[str, dict[str, str]]] = [
    ("BoxAway", {f"up{{{BOX}}}": "1 1 0+0x58"}),
    ("BoxInTrouble", {f'allerac_issue{{{BOX},code="hot",severity="critical"}}': "1+0x60"}),
    ("BoxHasOneThingToDo", {f'allerac_issue{{{BOX},code="hot",severity="warning"}}': "1+0x60"}),
    (
        "AnswersBeginLate",
        {
            f'allerac_first_token_seconds_bucket{{{BOX},le="1.0"}}': "0+0x60",
            f'allerac_first_token_seconds_bucket{{{BOX},le="60.0"}}': "0+1x60",
            f'allerac_first_token_seconds_bucket{{{BOX},le="180.0"}}': "0+10x60",
            f'allerac_first_token_seconds_bucket{{{BOX},le="+Inf"}}': "0+10x60",
        },
    ),
    ("RequestsFail", {f'allerac_http_requests_total{{{BOX},status="503"}}': "0+30x60"}),
]


def exposed(measured: Sequence[str] = FIGURES) -> set[str]:
    """Return the names that a box tells, with those of its counters and histograms."""
    metrics = Metrics()
    totals = {"memory_bytes": 1, "disk_bytes": 1}
    figures = dict.fromkeys(measured, 1.0)
    drives = [drive for drive in [drive_of("nvme0n1", SMART_NVME)] if drive]
    status = HealthStatus(datetime.now(UTC), None, figures, totals, [], frozenset(), [], drives)
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


def test_every_figure_is_told_and_the_words_name_all_that_is() -> None:
    silent = [figure for figure in FIGURES if exposed([figure]) == exposed([])]
    assert silent == ["queue"], "which the engine tells as what waits"
    named = set(NAME.findall((FOLDER / "README.md").read_text()))
    families = {one for one in exposed() if not one.endswith(("_bucket", "_created"))}
    assert families <= named, sorted(families - named)


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


def firing(tmp_path: Path, series: dict[str, str]) -> set[str]:
    """Return the alerts that Prometheus has fire after an hour of `series`."""
    names = [rule["alert"] for rule in rules()]
    found = set()
    for name in names:
        silent = {"eval_time": f"{MINUTES}m", "alertname": name, "exp_alerts": []}
        test = {
            "rule_files": [str(FOLDER / "alerts.yml")],
            "tests": [
                {
                    "interval": "1m",
                    "input_series": [{"series": k, "values": v} for k, v in series.items()],
                    "alert_rule_test": [silent],
                }
            ],
        }
        file = tmp_path / f"{name}.yml"
        file.write_text(yaml.safe_dump(test))
        done = subprocess.run(
            ["promtool", "test", "rules", str(file)],  # noqa: S607 - the distribution's
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        told = done.stdout + done.stderr
        assert done.returncode == 0 or f"alertname: {name}" in told, told
        if done.returncode != 0:
            found.add(name)
    return found


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def test_a_box_that_is_well_raises_no_alert(tmp_path: Path) -> None:
    assert firing(tmp_path, WELL) == set()


@pytest.mark.parametrize(("alert", "series"), TROUBLE, ids=[name for name, _ in TROUBLE])
def test_trouble_raises_its_alert_and_no_other(
    tmp_path: Path, alert: str, series: dict[str, str]
) -> None:
    assert firing(tmp_path, {**WELL, **series}) == {alert}


def test_every_alert_has_a_trouble_that_raises_it() -> None:
    assert [rule["alert"] for rule in rules()] == [name for name, _ in TROUBLE]
