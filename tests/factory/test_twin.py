"""A whole batch with all that goes wrong in one: no bad unit leaves, every good one works."""

import io
from dataclasses import replace
from typing import Any

import pytest

from .small_image import SmallImage
from .twin import (
    DRIVES,
    EXPECTED,
    GOOD,
    NEVER_WRITTEN,
    WITH_TPM,
    Row,
    Twin,
    report,
    surprises,
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def told() -> io.StringIO:
    """What the twin prints."""
    return io.StringIO()


@pytest.fixture(scope="module")
def twin(
    tmp_path_factory: pytest.TempPathFactory, small_image: SmallImage, told: io.StringIO
) -> Twin:
    """A factory whose batch is over, and was as it must be."""
    twin = Twin(tmp_path_factory.mktemp("twin"), small_image)
    assert report(twin, told) == 0, told.getvalue()
    return twin


@pytest.fixture(scope="module")
def rows(twin: Twin) -> dict[str, Row]:
    """What became of each drive."""
    return {row.drive: row for row in twin.rows}


@pytest.mark.parametrize("drive", DRIVES)
def test_drive_becomes_what_it_must_for_its_own_reason(rows: dict[str, Row], drive: str) -> None:
    assert rows[drive].outcome.startswith(EXPECTED[drive])


def test_unit_whose_machine_has_a_tpm_has_its_key_there(twin: Twin) -> None:
    places = {unit.drive: unit.facts.get("key_place") for unit in twin.workshop.units().values()}
    assert {drive: places[drive] for drive in GOOD} == {WITH_TPM: "tpm", "D2": "partition"}


def test_drives_that_must_not_be_written_were_not(twin: Twin) -> None:
    assert set(twin.prepared_at) == set(NEVER_WRITTEN) == {"D6", "D7", "D8"}
    assert {name: twin.last_write_to(name) for name in NEVER_WRITTEN} == twin.prepared_at


def test_good_units_are_claimed_by_what_was_scanned(rows: dict[str, Row]) -> None:
    assert {name for name, row in rows.items() if row.is_claimed} == set(GOOD)


def test_no_bad_unit_has_a_label(rows: dict[str, Row]) -> None:
    assert {name for name, row in rows.items() if row.has_label} == set(GOOD)


def test_ledger_of_the_batch_is_whole(twin: Twin) -> None:
    assert twin.workshop.do("verify") == 0


def test_table_has_a_line_for_each_drive(twin: Twin, told: io.StringIO) -> None:
    lines = told.getvalue().splitlines()
    for row in twin.rows:
        (line,) = [line for line in lines if line.startswith(f"{row.drive} ")]
        assert row.outcome in line
        assert line.count("yes") == (2 if row.drive in GOOD else 0)


@pytest.mark.parametrize(
    ("drive", "changes"),
    [
        ("D1", {"outcome": "burned-in"}),
        ("D2", {"is_claimed": False}),
        ("D5", {"outcome": "ready"}),
        ("D4", {"has_label": True}),
    ],
)
def test_batch_that_went_otherwise_is_a_failure(
    rows: dict[str, Row], drive: str, changes: dict[str, Any]
) -> None:
    assert surprises(list(rows.values())) == []
    wrong = {**rows, drive: replace(rows[drive], **changes)}
    (found,) = surprises(list(wrong.values()))
    assert drive in found
    assert surprises([row for row in rows.values() if row.drive != drive]) == [
        f"{drive} is missing."
    ]
