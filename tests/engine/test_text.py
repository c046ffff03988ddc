"""Text appears whole, and never beyond a stop string."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from allerac.engine.text import AnswerText


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    marks = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[start:end] for start, end in pairwise(marks)]


@given(text=st.text(), cuts=st.lists(st.integers(min_value=0)))
def test_text_survives_any_cut_into_tokens(text: str, cuts: list[int]) -> None:
    answer = AnswerText(())
    shown = [answer.push(piece) for piece in pieces(text.encode(), cuts)]
    assert "".join(shown) + answer.finish() == text
    assert all("\ufffd" not in part for part in shown if "\ufffd" not in text)


@given(
    text=st.text(alphabet="abc<|>", max_size=40),
    stops=st.lists(st.text(alphabet="abc<|>", min_size=1, max_size=5), max_size=3),
    cuts=st.lists(st.integers(min_value=0)),
)
def test_stop_string_ends_the_text_wherever_tokens_are_cut(
    text: str, stops: list[str], cuts: list[int]
) -> None:
    answer = AnswerText(stops)
    shown = ""
    for piece in pieces(text.encode(), cuts):
        shown += answer.push(piece)
        if answer.stopped:
            break
    shown += answer.finish()
    assert text.startswith(shown)
    assert not any(stop in shown for stop in stops)
    assert answer.stopped == any(stop in text for stop in stops)
    if not answer.stopped:
        assert shown == text


def test_bytes_that_are_no_text_become_the_replacement_character() -> None:
    answer = AnswerText(())
    assert answer.push(b"a\xff") + answer.push(b"\xe2\x82") + answer.finish() == "a\ufffd\ufffd"


def test_text_that_may_become_a_stop_string_is_held_back() -> None:
    answer = AnswerText(("END",))
    assert answer.push(b"the EN") == "the "
    assert answer.push(b"V") == "ENV"
