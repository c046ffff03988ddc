"""The reason reaches the other system, or at least stops nothing."""

import json
import os
import resource
import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from allerac.updates import Verdict
from allerac.updates.gate import Fault, Judgement, ReasonFile
from allerac.updates.gate.reason_file import folders_of

SLOW = Fault("canary", "too_slow", "3.1 of 9.0 tokens a second")
FAILED = Judgement(proven=("sign_in",), faults=(SLOW,), not_required=(), seconds=290.0)
PASSED = Judgement(proven=("sign_in",), faults=(), not_required=(), seconds=60.0)


def test_the_old_system_reads_what_the_new_one_wrote(tmp_path: Path) -> None:
    assert ReasonFile(tmp_path).write("1.1.0", FAILED)
    assert ReasonFile(tmp_path).read() == Verdict("1.1.0", False, "too_slow", SLOW.detail)
    assert ReasonFile(tmp_path).write("1.2.0", PASSED)
    assert ReasonFile(tmp_path).read() == Verdict("1.2.0", True)
    assert [path.name for path in tmp_path.iterdir()] == ["verdict.json"]
    assert stat.S_IMODE((tmp_path / "verdict.json").stat().st_mode) == 0o644


def test_a_missing_partition_is_logged_and_stops_nothing(tmp_path: Path) -> None:
    with capture_logs() as logs:
        assert not ReasonFile(tmp_path / "identity").write("1.1.0", FAILED)
        assert ReasonFile(tmp_path / "identity").read() is None
    assert [line["event"] for line in logs] == ["update_reason_not_kept"]
    assert "No such file" in logs[0]["reason"]


def test_a_partition_that_fills_up_while_it_is_written_keeps_what_was_there(
    tmp_path: Path,
) -> None:
    ReasonFile(tmp_path).write("1.0.0", PASSED)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (16, hard))  # a write stops after as many bytes
    try:
        with capture_logs() as logs:
            assert not ReasonFile(tmp_path).write("1.1.0", FAILED)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [line["event"] for line in logs] == ["update_reason_not_kept"]
    assert ReasonFile(tmp_path).read() == Verdict("1.0.0", True)
    assert [path.name for path in tmp_path.iterdir()] == ["verdict.json"]


def test_what_cannot_be_replaced_leaves_no_scrap(tmp_path: Path) -> None:
    (tmp_path / "verdict.json").mkdir()
    assert not ReasonFile(tmp_path).write("1.1.0", FAILED)
    assert [path.name for path in tmp_path.iterdir()] == ["verdict.json"]


def test_a_unit_without_an_identity_keeps_it_with_the_data(tmp_path: Path) -> None:
    data = tmp_path / "data" / "updates"
    data.mkdir(parents=True)
    folders = folders_of(tmp_path / "identity", tmp_path / "data")
    assert ReasonFile(*folders).write("1.1.0", FAILED, "an update")
    verdict = Verdict("1.1.0", False, "too_slow", SLOW.detail, "an update")
    assert ReasonFile(*folders).read() == verdict
    assert ReasonFile(*folders_of(None, tmp_path / "data")).read() == verdict


def test_of_two_verdicts_the_one_written_last_counts(tmp_path: Path) -> None:
    folders = [tmp_path / "identity", tmp_path / "data"]
    for second, (folder, version) in enumerate(zip(folders, ("1.1.0", "1.2.0"), strict=True)):
        folder.mkdir()
        ReasonFile(folder).write(version, PASSED)
        os.utime(folder / "verdict.json", (second, second))
    assert ReasonFile(*folders).read() == Verdict("1.2.0", True)
    os.utime(folders[0] / "verdict.json", (9, 9))
    assert ReasonFile(*folders).read() == Verdict("1.1.0", True)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.text(max_size=5000), min_size=1, max_size=12))
def test_it_is_never_longer_than_a_block_and_always_readable(
    tmp_path_factory: pytest.TempPathFactory, details: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("identity")
    faults = tuple(Fault("canary", "too_slow", detail) for detail in details)
    judgement = Judgement(proven=(), faults=faults, not_required=(), seconds=1.0)
    assert ReasonFile(folder).write("1.1.0", judgement)
    assert (folder / "verdict.json").stat().st_size <= 4096
    verdict = ReasonFile(folder).read()
    assert verdict is not None
    assert verdict.reason == "too_slow"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"null",
        b'{"form": 1}',
        json.dumps({"form": 2, "version": "1", "passed": True}).encode(),
        json.dumps(
            {"form": 1, "version": "1", "passed": False, "reason": 7, "detail": None}
        ).encode(),
        b'{"form": 1, "version": "' + b"x" * 5000,
    ],
)
async def test_a_file_that_is_no_verdict_is_no_verdict(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "verdict.json").write_bytes(content)
    with capture_logs() as logs:
        assert await ReasonFile(tmp_path).last() is None
    assert [line["event"] for line in logs] == ["update_reason_unreadable"]
