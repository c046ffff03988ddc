"""What is kept because somebody asked, what is proposed, and what is neither, by language."""

import unicodedata

import pytest

from allerac.assistants.asked import MOST_CHARACTERS, asked_to_remember, worth_proposing
from allerac.assistants.memory_phrases import PHRASES
from allerac.knowledge.languages import LITTLE_WORDS

KEPT = [
    ("de", "Merk dir bitte, dass der Schlüssel bei Jonas liegt.", "der Schlüssel bei Jonas liegt"),
    ("de", "Bitte merke dir: Der Müll geht am Freitag raus", "Der Müll geht am Freitag raus"),
    ("en", "Remember that the vault code is 7731.", "the vault code is 7731"),
    ("en", "Please keep in mind, that Mia eats no nuts!", "Mia eats no nuts"),
    ("es", "Recuerda que la llave está en casa de Ana.", "la llave está en casa de Ana"),
    ("es", "Por favor, acuérdate de que Mía no come nueces.", "Mía no come nueces"),
    ("fr", "Souviens-toi qu\u2019il faut arroser le jeudi.", "il faut arroser le jeudi"),
    ("fr", "S'il te plaît, note que la clé est chez Ana.", "la clé est chez Ana"),
    ("it", "Ricordati che la chiave è da Anna.", "la chiave è da Anna"),
    ("it", "Per favore ricorda: Mia non mangia noci.", "Mia non mangia noci"),
    ("pt", "Lembra-te de que a chave está com a Ana.", "a chave está com a Ana"),
    ("pt", "Lembre-se, por favor, que a Mia não come nozes.", "a Mia não come nozes"),
]
PROPOSED = [
    ("de", "Ich heiße Jonas."),
    ("de", "Unsere Heizung ist von Viessmann."),
    ("en", "I\u2019m allergic to nuts."),
    ("en", "My doctor is called Weber!"),
    ("es", "Me llamo Lucía."),
    ("es", "Nuestra caldera es de 2019."),
    ("fr", "J\u2019habite à Lyon."),
    ("fr", "Ma fille s'appelle Zoé."),
    ("it", "Mi chiamo Chiara."),
    ("it", "La nostra caldaia è del 2019."),
    ("pt", "Não gosto de coentros."),
    ("pt", "A minha médica chama-se Rosa."),
]
NEITHER = [
    "Remember me?",
    "Do you remember that the code is 7731?",
    "I have a question about my contract.",
    "Ich habe eine Frage zum Vertrag.",
    "Tengo una duda sobre el contrato.",
    "J'ai besoin d'aide pour une lettre.",
    "Mi serve una ricetta per stasera.",
    "Ma non funziona ancora la stampante.",
    "Tenho uma dúvida sobre o contrato.",
    "My doctor is called Weber. Who was yours?",
    "Write a letter to my landlord.",
    "",
]


def test_every_language_that_is_told_apart_has_its_phrases() -> None:
    assert set(PHRASES) == set(LITTLE_WORDS)
    assert {language for language, *_ in KEPT} == set(PHRASES)
    assert {language for language, _ in PROPOSED} == set(PHRASES)


@pytest.mark.parametrize(("language", "message", "fact"), KEPT)
def test_what_is_asked_for_is_kept_without_the_asking(
    language: str, message: str, fact: str
) -> None:
    assert asked_to_remember(message) == fact


@pytest.mark.parametrize(("language", "message"), PROPOSED)
def test_what_people_say_of_themselves_is_proposed_as_they_said_it(
    language: str, message: str
) -> None:
    assert asked_to_remember(message) is None
    assert worth_proposing(message) == message[:-1]


@pytest.mark.parametrize("message", NEITHER)
def test_what_is_of_the_moment_is_neither_kept_nor_proposed(message: str) -> None:
    assert asked_to_remember(message) is None
    assert worth_proposing(message) is None


@pytest.mark.parametrize("language", PHRASES)
def test_phrases_are_written_as_they_are_read(language: str) -> None:
    phrases = PHRASES[language]
    for words in (phrases.please, phrases.remember, phrases.that, phrases.oneself, phrases.passing):
        assert words
        assert [*words] == [word.lower().strip() for word in words]
        assert len(set(words)) == len(words)
        assert [*words] == [unicodedata.normalize("NFD", word) for word in words]


@pytest.mark.parametrize("spaces", [" " * 900_000, "\t\n" * 450_000])
def test_message_full_of_spaces_is_read_as_one_with_few(spaces: str) -> None:
    """Where the time grows with the square of the spaces, this does not end."""
    assert asked_to_remember(f"{spaces}remember abc{spaces}y") == "abc y"
    assert asked_to_remember(f"remember{spaces}?!") is None
    assert worth_proposing(f"my dog{spaces}".replace("\n", " ") + "barks.") == "my dog barks"
    assert worth_proposing(f"my dog{spaces}barks".replace("\n", " ")) is None


def test_who_writes_a_lot_wants_an_answer() -> None:
    assert asked_to_remember("Remember that " + "word " * MOST_CHARACTERS) is None
    assert worth_proposing("My " + "word " * MOST_CHARACTERS + ".") is None
