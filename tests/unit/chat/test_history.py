"""What the model reads of a branch: never less than is told, never a summary of something else."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from allerac.chat.history import history_of
from allerac.chat.prompt import RECALL, Turn, compile_prompt
from allerac.storage.conversations import MessageRecord, SummaryRecord

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def _branch(count: int) -> list[MessageRecord]:
    return [
        MessageRecord(
            id=f"m{number}",
            conversation_id="c",
            parent_id=f"m{number - 1}" if number else None,
            role="assistant" if number % 2 else "user",
            content=f"text {number}",
            status="complete",
            model_id=None,
            error=None,
            usage=None,
            rating=None,
            sequence=0,
            generation_id=None,
            created_at=NOW,
        )
        for number in range(count)
    ]


def _summarised(branch: list[MessageRecord], first: int, last: int) -> None:
    record = SummaryRecord(
        f"m{first}", f"m{last}", last - first + 1, f"sum {first}-{last}", "small", NOW
    )
    branch[last] = replace(branch[last], summary=record)


def _texts(branch: list[MessageRecord], start_id: str | None = None) -> tuple[str, list[str], int]:
    history = history_of(branch, start_id)
    summary = history.summary.content if history.summary else ""
    return summary, [turn.content for turn in history.turns], history.left_out


def test_a_branch_without_marks_is_read_whole() -> None:
    assert _texts(_branch(3)) == ("", ["text 0", "text 1", "text 2"], 0)
    assert _texts([]) == ("", [], 0)


def test_the_longest_summary_stands_for_the_beginning() -> None:
    branch = _branch(7)
    _summarised(branch, 0, 1)
    _summarised(branch, 0, 3)
    assert _texts(branch) == ("sum 0-3", ["text 4", "text 5", "text 6"], 0)


def test_a_branch_that_leaves_before_the_covered_turn_reads_the_summary_before_it() -> None:
    branch = _branch(7)
    _summarised(branch, 0, 1)
    _summarised(branch, 0, 5)
    assert _texts(branch[:5]) == ("sum 0-1", ["text 2", "text 3", "text 4"], 0)
    assert _texts(branch[:1]) == ("", ["text 0"], 0)


def test_a_cut_hides_summaries_that_begin_elsewhere() -> None:
    branch = _branch(9)
    _summarised(branch, 0, 5)
    assert _texts(branch, "m4") == ("", [f"text {n}" for n in range(4, 9)], 4)
    _summarised(branch, 4, 7)
    assert _texts(branch, "m4") == ("sum 4-7", ["text 8"], 4)
    assert _texts(branch) == ("sum 0-5", ["text 6", "text 7", "text 8"], 0)


def test_a_cut_on_another_branch_changes_nothing() -> None:
    assert _texts(_branch(2), "elsewhere") == ("", ["text 0", "text 1"], 0)


def test_leaving_out_counts_what_the_summary_stood_for() -> None:
    branch = _branch(7)
    _summarised(branch, 0, 3)
    history = history_of(branch, None)
    assert (history.summarised, history.starts()) == (4, [0, 2])
    shorter = history.beginning_at(2)
    assert (shorter.left_out, shorter.summary, len(shorter.turns)) == (6, None, 1)
    assert history_of(_branch(3), None).starts() == [2]


@pytest.mark.parametrize("instructions", ["", "Be brief."])
def test_a_summary_is_the_models_own_answer_before_the_turns(instructions: str) -> None:
    prompt = compile_prompt(
        instructions=instructions, history=[Turn("user", "And now?")], summary="Tea was chosen."
    )
    said = [(message.role, message.content) for message in prompt if message.role != "system"]
    assert said == [("user", RECALL), ("assistant", "Tea was chosen."), ("user", "And now?")]
