"""The demonstration model in the repository is the one described, and does what is promised.

Every question draws on words, names and things that no training text contains. Answers are greedy,
so the figures are the same in every run with the same build of llama.cpp.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from allerac.models.catalogue import load_demo_model
from demo_model import chat, evaluate, lexicon, words
from demo_model.evaluate import Asker, Figures

FOLDER = Path(__file__).parents[2] / "demo_model"
MODEL = load_demo_model(FOLDER / "model.yaml")
ANSWERED, REFUSED = 0.90, 0.95
"""What is wanted of every file (demo_model/README.md)."""
NOTES = (
    "The wifi password is blue-otter-42. The boiler is serviced by Miller Heating.\n"
    "Anna's dentist is Dr. Weber. The garage code is 2846."
)


@pytest.fixture(scope="module")
def ask() -> Iterator[Asker]:
    asker = Asker(MODEL.path)
    yield asker
    asker.close()


def test_file_is_the_one_that_model_yaml_describes() -> None:
    content = MODEL.path.read_bytes()
    assert len(content) == MODEL.size_bytes
    assert hashlib.sha256(content).hexdigest() == MODEL.sha256
    assert MODEL.size_bytes <= 5_000_000


@pytest.mark.parametrize(
    ("question", "value"),
    [
        ("What is the wifi password?", "blue-otter-42"),
        ("Who services the boiler?", "Miller Heating"),
        ("Who is Anna's dentist?", "Dr. Weber"),
        ("What is the garage code?", "2846"),
    ],
)
@pytest.mark.parametrize("heading", ["", "Context:\n"])
@pytest.mark.parametrize("system", ["", chat.INSTRUCTIONS])
def test_pasted_notes_are_read_out(
    ask: Asker, question: str, value: str, heading: str, system: str
) -> None:
    answer = ask(f"{heading}{NOTES}\n\n{question}", system=system)
    assert evaluate.states(answer, value), answer


@pytest.mark.parametrize("question", ["What is the door code?", "Who cleans the pool?"])
def test_what_the_notes_do_not_say_is_refused(ask: Asker, question: str) -> None:
    assert ask(f"{NOTES}\n\n{question}", system=chat.INSTRUCTIONS) == "I do not know."


def test_it_greets_and_says_what_it_is(ask: Asker) -> None:
    assert ask("Hello", system=chat.INSTRUCTIONS) == "Hello! How can I help you?"
    assert ask("Who are you?") == "I am Allerac's small demonstration model."


def test_a_title_is_asked_for_and_comes_from_the_question(ask: Asker) -> None:
    turns = (f"{NOTES}\n\nWhat is the wifi password?", "The wifi password is blue-otter-42.")
    title = ask(*turns, chat.TITLE_REQUEST, system=chat.INSTRUCTIONS)
    assert title == "The wifi password"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_200_held_out_questions_are_answered_as_often_as_measured(ask: Asker) -> None:
    figures = Figures()
    evaluate.ask_passages(ask, figures, answerable=200, unknown=0)
    assert figures.share("known answered") >= ANSWERED, "\n".join(figures.lines())


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_unknown_questions_are_refused_as_often_as_measured(ask: Asker) -> None:
    figures = Figures()
    evaluate.ask_passages(ask, figures, answerable=0, unknown=100)
    assert figures.share("unknown refused") >= REFUSED, "\n".join(figures.lines())


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_owners_names_are_spelled_as_in_the_question(ask: Asker) -> None:
    figures = Figures()
    evaluate.ask_owners(ask, figures, number=50)
    assert figures.share("owner's name spelled right") >= 0.95, "\n".join(figures.lines())


def test_no_held_out_word_is_among_the_training_words() -> None:
    training = lexicon.WordSource(1)
    held_out = lexicon.WordSource(1, held_out=True)
    seen = {training.word() for _ in range(5000)}
    asked = {held_out.word() for _ in range(5000)}
    assert len(seen) > 1000
    assert len(asked) > 1000
    assert not seen & asked
    assert seen | asked <= set(words.read())
