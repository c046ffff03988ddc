"""Health over HTTP: figures, issues, alerts and metrics, of a real box on recorded sensors."""

import asyncio
import json
import os
import socket
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
import yaml

from allerac.app.health_levers import acts_of
from allerac.hardware.pin import load_pins
from allerac.health import find_checks
from allerac.models.store import ModelStore, PartRecord
from tests.api.health_box import DEADLINE_SECONDS, HealthBox, health_box

REPOSITORY = Path(__file__).parents[2]
MONITORING = REPOSITORY / "docs" / "monitoring"
MODEL = "qwen2.5-0.5b-instruct-q4_k_m"
pytestmark = pytest.mark.timeout(300)

MAIL = {
    "host": "mail.example.com",
    "port": 587,
    "security": "starttls",
    "username": "box",
    "password": "quiet lantern",
    "sender": "box@example.com",
    "recipients": [{"address": "ana@example.com"}],
}
OFF: dict[str, Any] = {
    "least": "warning",
    "quiet": None,
    "mail": None,
    "webhook": None,
    "ntfy": None,
}


@pytest.fixture
async def box(tmp_path: Path) -> AsyncIterator[HealthBox]:
    async with health_box(tmp_path) as box:
        yield box


async def test_health_tells_figures_issues_in_words_and_their_end(box: HealthBox) -> None:
    health = await box.until(lambda health: "temperature_celsius" in health["figures"])
    assert health["figures"]["temperature_celsius"] == 48.0
    assert health["severity"] is None
    box.machine.mount(read_only=True)
    health = await box.until(lambda health: health["issues"])
    issue = health["issues"][0]
    assert (issue["code"], health["severity"]) == ("file_system_read_only", "critical")
    assert issue["words"]["de"]["title"] == "Es kann nichts mehr gespeichert werden."
    assert issue["fix"] is None
    refused = await box.owner.post(f"/api/v1/health/issues/{issue['id']}/fix")
    assert refused.status_code == 409
    box.machine.mount()
    await box.until(lambda health: not health["issues"])
    past = (await box.owner.get("/api/v1/health/issues")).json()["items"]
    assert [one["id"] for one in past] == [issue["id"]]
    gone = await box.owner.post(f"/api/v1/health/issues/{issue['id']}/fix")
    assert gone.status_code == 404


async def test_the_box_knows_how_to_do_what_its_checks_offer(box: HealthBox) -> None:
    rooms = box.app.state.runtime.health.onlookers.rooms
    offered = {check.fix.act for check in find_checks() if check.fix is not None}
    assert offered == set(acts_of(rooms.models, rooms.updates))


def _leave_unfinished(data_dir: Path) -> Path:
    """Have an earlier run have paused a download; returns the file of what has arrived."""
    pin = load_pins(REPOSITORY / "hardware_profiles" / "models.yaml")[MODEL]
    assert pin.sha256 is not None
    store = ModelStore(data_dir / "models", data_dir / "downloads")
    store.prepare()
    store.write_part_record(PartRecord(id=pin.id, sha256=pin.sha256))
    store.part(pin.id).write_bytes(bytes(1 << 16))
    return store.part(pin.id)


async def test_one_click_removes_unfinished_downloads_and_is_offered_while_there_are_any(
    tmp_path: Path,
) -> None:
    part = _leave_unfinished(tmp_path / "data")
    async with health_box(tmp_path) as box:
        box.machine.disk(total=240 * 2**30, free=2**30)
        health = await box.until(lambda health: health["issues"] and health["reactions"])
        issue = health["issues"][0]
        assert issue["fix"]["label"]["en"] == "Remove unfinished downloads"
        assert [reaction["code"] for reaction in health["reactions"]] == ["hold_downloads"]
        refused = await box.owner.post("/api/v1/models/none/download")
        assert refused.status_code == 507
        done = await box.owner.post(f"/api/v1/health/issues/{issue['id']}/fix")
        assert done.status_code == 200
        assert not part.exists()
        assert [one["fix"] for one in done.json()["issues"]] == [None]
        again = await box.owner.post(f"/api/v1/health/issues/{issue['id']}/fix")
        assert again.status_code == 409


async def test_history_has_what_was_measured_and_what_happened(box: HealthBox) -> None:
    box.machine.mount(read_only=True)
    await box.until(lambda health: health["issues"] and "queue" in health["figures"])
    for period in ("hour", "day", "month"):
        series = (await box.owner.get("/api/v1/health/history", params={"period": period})).json()
        assert series["figures"]["temperature_celsius"][-1] == 48.0
        assert all(len(values) == len(series["at"]) for values in series["figures"].values())
        (event,) = series["events"]
        assert (event["kind"], event["code"], event["end"]) == (
            "issue",
            "file_system_read_only",
            None,
        )
        assert event["words"]["de"] == "Es kann nichts mehr gespeichert werden."
    refused = await box.owner.get("/api/v1/health/history", params={"period": "year"})
    assert refused.status_code == 422


async def test_alerts_keep_secrets_from_browsers_and_disk(box: HealthBox) -> None:
    url = "/api/v1/health/alerts"
    hook = {"url": "https://hooks.example.com/T0P5ECRET", "form": "slack"}
    kept = await box.owner.put(url, json={**OFF, "mail": MAIL, "webhook": hook})
    assert kept.status_code == 200, kept.text
    assert kept.json()["mail"]["has_password"] is True
    assert kept.json()["webhook"] == {
        "host": "hooks.example.com",
        "form": "slack",
        "language": None,
    }
    told = kept.text + (await box.owner.get(url)).text
    on_disk = (box.settings.data_dir / "alerts.json").read_text()
    assert not [s for s in ("quiet lantern", "T0P5ECRET") if s in told + on_disk]
    again = {key: value for key, value in MAIL.items() if key != "password"}
    still = await box.owner.put(url, json={**OFF, "mail": again, "webhook": {"form": "slack"}})
    assert still.json()["mail"]["has_password"] is True
    assert box.app.state.services.alerts.settings().mail.password == "quiet lantern"  # noqa: S105 - made up


async def test_each_recipient_keeps_a_language(box: HealthBox) -> None:
    url = "/api/v1/health/alerts"
    recipients = [
        {"address": "ana@example.com", "language": None},
        {"address": "ben@example.com", "language": "de"},
    ]
    hook = {"url": "https://hooks.example.com/x", "form": "slack", "language": "de"}
    mail = {**MAIL, "recipients": recipients}
    kept = await box.owner.put(url, json={**OFF, "mail": mail, "webhook": hook})
    assert kept.status_code == 200, kept.text
    assert kept.json()["mail"]["recipients"] == recipients
    assert kept.json()["webhook"]["language"] == "de"
    unknown = {**MAIL, "recipients": [{"address": "ana@example.com", "language": "tlh"}]}
    refused = await box.owner.put(url, json={**OFF, "mail": unknown})
    assert refused.status_code == 422


async def test_a_kept_password_does_not_follow_to_another_server(box: HealthBox) -> None:
    url = "/api/v1/health/alerts"
    await box.owner.put(url, json={**OFF, "mail": MAIL})
    moved = {key: value for key, value in MAIL.items() if key != "password"}
    answer = await box.owner.put(url, json={**OFF, "mail": {**moved, "host": "evil.example.com"}})
    assert answer.json()["mail"]["has_password"] is False


@pytest.mark.parametrize(
    "wrong",
    [
        {"mail": {**MAIL, "security": "none"}},
        {"mail": {**MAIL, "recipients": []}},
        {"mail": {**MAIL, "sender": "box@example.com\r\nBcc: x@example.com"}},
        {"mail": {**MAIL, "port": 0}},
        {"webhook": {"url": "file:///etc/passwd"}},
        {"webhook": {"form": "generic"}},
        {"ntfy": {"topic": "a b"}},
        {"quiet": {"begin": 24, "end": 7}},
        {"least": "everything"},
    ],
)
async def test_settings_that_cannot_work_are_refused(box: HealthBox, wrong: dict[str, Any]) -> None:
    answer = await box.owner.put("/api/v1/health/alerts", json={**OFF, **wrong})
    assert answer.status_code == 422, answer.text


async def test_the_test_button_says_that_a_way_is_off(box: HealthBox) -> None:
    answer = await box.owner.post("/api/v1/health/alerts/test", json={"channel": "mail"})
    assert answer.status_code == 409


async def _key(owner: httpx.AsyncClient) -> str:
    made = await owner.post("/api/v1/api-keys", json={"name": "Prometheus"})
    key: str = made.json()["key"]
    return key


async def test_metrics_count_requests_by_operation_and_carry_no_ids(box: HealthBox) -> None:
    await box.owner.get("/api/v1/conversations/0190-somebody")
    await box.until(lambda health: health["figures"])
    headers = {"Authorization": f"Bearer {await _key(box.owner)}"}
    text = (await box.owner.get("/metrics", headers=headers)).text
    assert 'route="getConversation"' in text
    assert "0190-somebody" not in text
    assert "allerac_temperature_celsius 48.0" in text
    assert 'allerac_drive_worn_ratio{drive="nvme0n1"} 0.03' in text
    assert 'allerac_engine_state{state="' in text


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


async def test_a_real_prometheus_scrapes_the_box_and_likes_the_form(
    box: HealthBox, tmp_path: Path
) -> None:
    key = await _key(box.owner)
    text = (await box.owner.get("/metrics", headers={"Authorization": f"Bearer {key}"})).content
    checked = await asyncio.to_thread(
        subprocess.run,
        ["promtool", "check", "metrics"],
        input=text,
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert checked.returncode == 0, checked.stderr.decode()
    server = uvicorn.Server(uvicorn.Config(box.app, port=0, lifespan="off", log_config=None))
    serving = asyncio.create_task(server.serve())
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event to wait on
            await asyncio.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    configuration = yaml.safe_load((MONITORING / "prometheus.yml").read_text())
    configuration["global"] = {"evaluation_interval": "1s"}
    job = configuration["scrape_configs"][0]
    job["scrape_interval"] = job["scrape_timeout"] = "1s"
    job["static_configs"] = [{"targets": [f"127.0.0.1:{port}"]}]
    (tmp_path / "alerts.yml").write_text((MONITORING / "alerts.yml").read_text())
    (tmp_path / "allerac.key").write_text(key)
    (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(configuration))
    own = f"127.0.0.1:{_free_port()}"
    prometheus = await asyncio.create_subprocess_exec(
        "prometheus",
        f"--config.file={tmp_path / 'prometheus.yml'}",
        f"--storage.tsdb.path={tmp_path / 'tsdb'}",
        f"--web.listen-address={own}",
        "--log.level=error",
        env={**os.environ, "GOMAXPROCS": "1"},
    )
    try:
        assert await _value(own, "allerac_temperature_celsius") == 48.0
        assert await _value(own, 'up{job="allerac"}') == 1.0
        for question in _questions():
            told = await _asked(own, "query", query=question)
            assert told["resultType"] == "vector", question
        await _until_rules_are_judged(own)
    finally:
        prometheus.terminate()
        await asyncio.wait_for(prometheus.wait(), 30)
        server.should_exit = True
        await serving


def _questions() -> list[str]:
    """Return what the panels of the dashboard ask."""
    panels = json.loads((MONITORING / "grafana.json").read_text())["panels"]
    return [target["expr"] for panel in panels for target in panel["targets"]]


async def _asked(prometheus: str, what: str, **parameters: str) -> dict[str, Any]:
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"http://{prometheus}/api/v1/{what}", params=parameters)
    told = answer.json()
    assert told["status"] == "success", (parameters, told)
    data: dict[str, Any] = told["data"]
    return data


async def _until_rules_are_judged(prometheus: str) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        while True:
            groups = (await _asked(prometheus, "rules"))["groups"]
            rules = [rule for group in groups for rule in group["rules"]]
            if rules and {rule["health"] for rule in rules} == {"ok"}:
                return
            await asyncio.sleep(0.2)


async def _value(prometheus: str, query: str) -> float:
    """Ask until there is a value."""
    async with asyncio.timeout(DEADLINE_SECONDS), httpx.AsyncClient() as client:
        while True:
            try:
                url = f"http://{prometheus}/api/v1/query"
                answer = (await client.get(url, params={"query": query})).json()
                if answer.get("data", {}).get("result"):
                    return float(answer["data"]["result"][0]["value"][1])
            except (httpx.HTTPError, ValueError):
                pass
            await asyncio.sleep(0.2)


async def test_a_report_for_a_helper_names_nobody_and_holds_no_secret(box: HealthBox) -> None:
    saved = await box.owner.put("/api/v1/health/alerts", json={**OFF, "mail": MAIL})
    assert saved.status_code == 200, saved.text
    answer = await box.owner.get("/api/v1/health/support")
    assert answer.status_code == 200, answer.text
    sections = {one["name"]: one["lines"] for one in answer.json()["sections"]}
    assert list(sections) == ["versions", "machine", "health", "issues", "configuration", "log"]
    assert sections["versions"][0].startswith("allerac: ")
    told = answer.text.casefold()
    assert "quiet lantern" not in told
    assert "ana@example.com" not in told
