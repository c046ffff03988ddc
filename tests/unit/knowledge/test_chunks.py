"""Passages: as long as they may be, never across a border, nothing lost."""

from hypothesis import given
from hypothesis import strategies as st

from allerac.knowledge.chunks import CHUNK_TOKENS, OVERLAP_TOKENS, Measured, chunk


def piece(text: str, tokens: int = 40, heading: str = "", page: int | None = None) -> Measured:
    return Measured(text, heading, page, True, tokens)


def test_passage_ends_where_the_section_ends() -> None:
    made = list(chunk([piece("one", heading="A"), piece("two", heading="B")]))
    assert [(each.heading, each.content) for each in made] == [("A", "one"), ("B", "two")]


def test_passage_of_one_page_names_that_page_alone() -> None:
    made = list(chunk([piece("one", page=1), piece("two", page=2)]))
    assert [(each.first_page, each.last_page) for each in made] == [(1, 1), (2, 2)]


def test_stub_is_joined_with_what_follows() -> None:
    made = list(chunk([piece("title", 3, "A", 1), piece("text", 40, "B", 2)]))
    assert [(each.first_page, each.last_page) for each in made] == [(1, 2)]


def test_long_section_shares_its_last_words_with_the_next_passage() -> None:
    first, second, *_ = chunk([piece(f"s{number}", 40) for number in range(20)])
    assert first.content.splitlines()[-1] == second.content.splitlines()[0]


@given(
    st.lists(
        st.builds(
            Measured,
            text=st.text("abc", min_size=1, max_size=5),
            heading=st.sampled_from(["", "A", "B"]),
            page=st.sampled_from([None, 1, 2]),
            begins=st.booleans(),
            tokens=st.integers(1, 600),
        ),
        max_size=60,
    )
)
def test_every_piece_stands_in_a_passage_and_none_is_too_long(pieces: list[Measured]) -> None:
    made = list(chunk(pieces))
    assert [each.position for each in made] == list(range(len(made)))
    longest = max((each.tokens for each in pieces), default=0)
    assert all(each.tokens <= max(CHUNK_TOKENS, longest) for each in made)
    own = sum(each.tokens for each in made)
    total = sum(each.tokens for each in pieces)
    assert total <= own <= total + OVERLAP_TOKENS * len(made)
    words = " ".join(each.content for each in made)
    assert all(each.text in words for each in pieces)
