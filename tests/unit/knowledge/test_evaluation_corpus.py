"""The papers and questions by which the search is judged are what the table says they are."""

from collections import Counter

import pytest

from benchmarks.knowledge_corpus import (
    FACTS,
    KINDS,
    PLACES,
    THINGS,
    Asked,
    Paper,
    make_corpus,
    pairs,
)


@pytest.fixture(scope="module")
def corpus() -> tuple[list[Paper], list[Asked]]:
    return make_corpus()


@pytest.fixture
def papers(corpus: tuple[list[Paper], list[Asked]]) -> list[Paper]:
    return corpus[0]


@pytest.fixture
def questions(corpus: tuple[list[Paper], list[Asked]]) -> list[Asked]:
    return corpus[1]


def test_there_are_papers_of_every_kind_and_near_duplicates(papers: list[Paper]) -> None:
    assert len(papers) == 240
    assert {paper.name.rpartition(".")[2] for paper in papers} == set(KINDS)
    assert sum(paper.name.startswith("copy-") for paper in papers) == 20


def test_every_question_is_asked_once_and_a_fifth_has_no_answer(questions: list[Asked]) -> None:
    assert len({asked.question for asked in questions}) == len(questions) == 300
    wordings = Counter(asked.wording for asked in questions)
    assert wordings == {"same words": 120, "other words": 120, "unanswerable": 60}


def test_answers_stand_in_the_papers_that_are_named(
    papers: list[Paper], questions: list[Asked]
) -> None:
    stated = {paper.name: paper.facts for paper in papers}
    for asked in questions:
        if asked.wording != "unanswerable":
            named = [stated[name] for name in asked.papers if name in stated]
            assert named
            assert all(asked.answer in facts for facts in named)


def test_unanswerable_questions_are_of_known_things_in_three_languages(
    questions: list[Asked],
) -> None:
    without = [asked for asked in questions if asked.wording == "unanswerable"]
    assert all(not asked.papers and not asked.answer for asked in without)
    words = [
        {thing[language][0] for thing in THINGS if thing[language][0] in asked.question}
        for asked in without
        for language in ("en", "de", "es")
    ]
    assert all(any(words[at : at + 3]) for at in range(0, len(words), 3))
    spanish = [asked for asked in without if asked.question.startswith("¿")]
    english = [asked for asked in without if " the " in asked.question]
    assert (len(spanish), len(english)) == (20, 20)


def test_half_of_them_are_of_pairs_without_a_paper(questions: list[Asked]) -> None:
    told, untold = pairs()
    assert len(told) + len(untold) == len(THINGS) * len(PLACES)
    assert len(untold) == len(THINGS)
    forms = {
        forms[language][1].format(t=thing[language][0], p=place[language])
        for thing, place in untold
        for forms in FACTS
        for language in ("en", "de", "es")
    }
    asked = [each.question for each in questions if each.wording == "unanswerable"]
    assert sum(question in forms for question in asked) == 30
    answerable = [each.question for each in questions if each.wording != "unanswerable"]
    assert not forms & set(answerable)
