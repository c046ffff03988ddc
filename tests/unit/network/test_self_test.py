"""The self-test keeps what it found last and logs only what is new."""

from datetime import UTC, datetime

from structlog.testing import capture_logs

from allerac.network.self_test import SelfTest, SelfTestLog

NOW = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)
LATER = datetime(2026, 3, 1, 8, 31, tzinfo=UTC)


def test_nothing_is_known_before_the_first_test() -> None:
    assert SelfTestLog().last is None


def test_result_says_which_names_do_not_lead_here() -> None:
    tests = SelfTestLog()
    tests.answered(["kitchen.local.", "allerac-7k3f.local."], NOW)
    said = "kitchen.local, allerac-7k3f.local does not lead to this box."
    assert tests.last == SelfTest(False, "names_do_not_lead_here", said, NOW)


def test_a_result_that_stays_is_logged_once_and_its_time_goes_on() -> None:
    tests = SelfTestLog()
    with capture_logs() as told:
        tests.no_address(NOW)
        tests.no_address(LATER)
    assert [line["event"] for line in told] == ["name_self_test_failed"]
    assert tests.last is not None
    assert tests.last.checked_at == LATER


def test_what_goes_well_is_logged_only_after_it_did_not() -> None:
    tests = SelfTestLog()
    with capture_logs() as told:
        tests.answered([], NOW)
        tests.answered([], LATER)
    assert told == []
    with capture_logs() as told:
        tests.failed(OSError("Network is unreachable"), NOW)
        tests.answered([], LATER)
    assert [line["event"] for line in told] == ["name_self_test_failed", "name_self_test_passed"]
    assert tests.last is not None
    assert tests.last.ok
