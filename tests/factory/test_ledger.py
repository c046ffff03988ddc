"""The ledger is only ever added to, and whoever alters it is found out."""

import csv
import json
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from allerac_factory.findings import summaries
from allerac_factory.ledger import Ledger
from allerac_factory.report import as_html

from .unit_start import DESK, burn_in
from .workshop import Workshop

BEGIN = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A ledger with five acts, a minute apart."""
    times = (BEGIN + timedelta(minutes=number) for number in range(5))
    ledger = Ledger(tmp_path / "ledger.sqlite", "Ana", "bench-1", lambda: next(times))
    for number in range(5):
        ledger.add(
            "written",
            batch="b1",
            unit=f"ALR-{number}",
            intended={"bytes": 100},
            observed={"bytes": 100, "name": "Größe"},
        )
    ledger.close()
    return tmp_path / "ledger.sqlite"


@pytest.fixture
def ledger(path: Path) -> Iterator[Ledger]:
    """The same, opened."""
    ledger = Ledger(path)
    yield ledger
    ledger.close()


def tamper(path: Path, change: str) -> None:
    """Change the file as somebody does who knows SQL."""
    connection = sqlite3.connect(path)
    connection.executescript(f"DROP TRIGGER no_update; DROP TRIGGER no_delete; {change}")
    connection.commit()
    connection.close()


def test_acts_hold_who_where_and_when_and_follow_one_another(ledger: Ledger) -> None:
    acts = list(ledger.acts())
    assert [act.number for act in acts] == [1, 2, 3, 4, 5]
    assert {(act.operator, act.station) for act in acts} == {("Ana", "bench-1")}
    assert acts[1].at == "2026-11-21T09:01:00.000Z"
    assert acts[1].previous == acts[0].hash
    assert (acts[1].intended, acts[1].observed["name"]) == ({"bytes": 100}, "Größe")
    assert list(ledger.problems()) == []


@pytest.mark.parametrize("change", ["UPDATE acts SET operator = 'Eve'", "DELETE FROM acts"])
def test_acts_cannot_be_changed_by_mistake(path: Path, change: str) -> None:
    connection = sqlite3.connect(path)
    with pytest.raises(sqlite3.IntegrityError, match="only added to"):
        connection.execute(change)
    connection.close()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("UPDATE acts SET observed = '{}' WHERE number = 3", "Act 3 (written ALR-2) was altered."),
        ("UPDATE acts SET operator = 'Eve' WHERE number = 5", "Act 5 (written ALR-4) was altered."),
        ("DELETE FROM acts WHERE number = 2", "Act 2 is missing; there is 3 instead."),
        ("UPDATE acts SET previous = 'x' WHERE number = 1", "Act 1 (written ALR-0) was altered."),
        ("UPDATE acts SET hash = 'x' WHERE number = 4", "Act 5 does not follow the one before it."),
    ],
)
def test_altered_act_is_found(path: Path, change: str, told: str) -> None:
    tamper(path, change)
    ledger = Ledger(path)
    assert told in list(ledger.problems())
    ledger.close()


def test_end_that_was_cut_off_is_found_by_its_head(path: Path, ledger: Ledger) -> None:
    head = ledger.head()
    assert list(ledger.problems(head)) == []
    tamper(path, "DELETE FROM acts WHERE number = 5")
    assert list(ledger.problems()) == []
    assert list(ledger.problems(head)) != []


def test_two_commands_at_once_write_one_chain(path: Path) -> None:
    one, two = Ledger(path, "Ana"), Ledger(path, "Ben")
    for _ in range(3):
        one.add("labelled", unit="ALR-1")
        two.add("labelled", unit="ALR-2")
    assert list(one.problems()) == []
    assert one.head() == two.head()
    one.close()
    two.close()


def test_station_proves_exports_and_finds(
    workshop: Workshop, capsys: pytest.CaptureFixture[str]
) -> None:
    workshop.drive("WD1")
    workshop.drive("WD2", faults={"pulled_after": 0})
    assert workshop.flash() == 1
    burn_in(workshop, "ALR-VM-000001")
    capsys.readouterr()
    assert workshop.do("verify") == 0
    assert "Nothing was altered. Head: " in capsys.readouterr().out
    for words in ("ALR-VM-000001", "wd1", "7c:83:34:aa:bb:01"):
        assert workshop.do("find", words) == 0
        assert "ALR-VM-000001" in capsys.readouterr().out
    assert workshop.do("find", "nothing") == 1
    rows = workshop.folder / "ledger.csv"
    assert workshop.do("export", str(rows)) == 0
    with rows.open(newline="") as file:
        table = list(csv.DictReader(file))
    assert [row["act"] for row in table] == [act.act for act in workshop.acts()]
    objects = workshop.folder / "ledger.json"
    assert workshop.do("export", str(objects)) == 0
    assert json.loads(objects.read_text())[0]["intended"]["tier"] == "vm"
    assert workshop.do("export", str(workshop.folder / "ledger.xls")) == 2


def test_certificate_altered_in_the_ledger_is_found(
    workshop: Workshop, capsys: pytest.CaptureFixture[str]
) -> None:
    workshop.drive("WD1")
    assert workshop.flash() == 0
    burn_in(workshop, "ALR-VM-000001")
    tamper(
        workshop.records / "ledger.sqlite",
        "UPDATE acts SET observed = replace(observed, '7C:83', '7C:84') WHERE act = 'burned-in'",
    )
    assert workshop.do("verify") == 1
    told = capsys.readouterr().err
    assert "was altered" in told
    assert "the birth certificate of ALR-VM-000001" in told


def test_report_is_one_page_that_loads_nothing(workshop: Workshop) -> None:
    for name in ("WD1", "WD2"):
        workshop.drive(name)
    workshop.drive("WD3", faults={"bad_block": 12 << 20})
    workshop.drive("WD4", size=100_000_000)
    workshop.drive("WD5", size=200_000_000)
    assert workshop.flash() == 1
    burn_in(workshop, "ALR-VM-000001", "memory")
    assert workshop.do("revoke", "ALR-VM-000002", "--reason", "fell down", *DESK) == 0
    page = workshop.folder / "report.html"
    assert workshop.do("report", str(page)) == 0
    text = page.read_text()
    assert "<svg" in text
    for told in ("drive error", "burn-in: memory", "refused: too small", "ALR-VM-000002"):
        assert told in text
    for told in ("failed its burn-in: memory", "revoked: fell down", "repeat the job, or use"):
        assert told in text
    assert "<td>refused: too small</td><td>2</td>" in text
    assert "<dt>written</dt><dd>2</dd>" in text, "also the one that was revoked since"
    assert "http" not in text
    assert "src=" not in text


def test_units_an_hour_are_those_that_became_ready_since_the_first_was_begun(
    tmp_path: Path,
) -> None:
    minutes = iter((0, 5, 30, 40, 60))
    ledger = Ledger(
        tmp_path / "clocked.sqlite", clock=lambda: BEGIN + timedelta(minutes=next(minutes))
    )
    for act, unit in (
        *(("begun", "A"), ("begun", "B"), ("ready", "A"), ("ready", "B")),
        ("burned-in", "A"),  # later, and no flashing
    ):
        told = {"drive": unit} if act == "begun" else {}
        seen = {"passed": True, "failures": []} if act == "burned-in" else {}
        ledger.add(act, batch="b1", unit=unit, intended=told, observed=seen)
    acts = list(ledger.acts())
    ledger.close()
    (summary,) = summaries(acts)
    assert summary.units_per_hour == pytest.approx(2 / 40 * 60)
    page = as_html(acts, [])
    for figure in ("begun</dt><dd>2", "written</dt><dd>2", "passed the burn-in</dt><dd>1"):
        assert f"<dt>{figure}</dd>" in page
    assert "<dt>written an hour</dt><dd>3</dd>" in page
    (begun,) = summaries(acts[:2])
    assert begun.units_per_hour is None


def test_records_that_are_not_there_are_told(tmp_path: Path, workshop: Workshop) -> None:
    assert workshop.do("verify") == 2
    assert workshop.do("revoke", "ALR-1", "--reason", "lost", *DESK) == 2
