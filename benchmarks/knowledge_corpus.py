"""A household's papers, invented by seed: documents of every kind in three languages, questions.

Each document is about one thing in one place and states facts about it. A question asks for one
fact in the words of the document, or in other words or another language; some ask for what no paper
says: for something else about a thing of which there is a paper, or for a thing that has papers in
a place that has papers, but none there.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from tests import documents

Language = Literal["en", "de", "es"]
LANGUAGES: tuple[Language, ...] = ("en", "de", "es")
Wording = Literal["same words", "other words", "unanswerable"]

THINGS: tuple[dict[Language, tuple[str, str]], ...] = (
    {"en": ("boiler", "heater"), "de": ("Heizung", "Kessel"), "es": ("caldera", "calentador")},
    {"en": ("roof", "roof"), "de": ("Dach", "Dach"), "es": ("techo", "tejado")},
    {"en": ("garden", "lawn"), "de": ("Garten", "Rasen"), "es": ("jardín", "césped")},
    {"en": ("oven", "stove"), "de": ("Ofen", "Herd"), "es": ("horno", "estufa")},
    {"en": ("bicycle", "bike"), "de": ("Fahrrad", "Rad"), "es": ("bicicleta", "bici")},
    {"en": ("car", "vehicle"), "de": ("Auto", "Wagen"), "es": ("coche", "vehículo")},
    {
        "en": ("fridge", "freezer"),
        "de": ("Kühlschrank", "Gefrierschrank"),
        "es": ("nevera", "frigorífico"),
    },
    {"en": ("window", "pane"), "de": ("Fenster", "Fenster"), "es": ("ventana", "ventana")},
    {"en": ("lamp", "bulb"), "de": ("Lampe", "Glühbirne"), "es": ("lámpara", "bombilla")},
    {"en": ("computer", "laptop"), "de": ("Rechner", "Laptop"), "es": ("ordenador", "portátil")},
    {"en": ("printer", "printer"), "de": ("Drucker", "Drucker"), "es": ("impresora", "impresora")},
    {"en": ("piano", "piano"), "de": ("Klavier", "Klavier"), "es": ("piano", "piano")},
    {"en": ("door", "gate"), "de": ("Tür", "Tor"), "es": ("puerta", "portón")},
    {
        "en": ("dishwasher", "dishwasher"),
        "de": ("Spülmaschine", "Geschirrspüler"),
        "es": ("lavavajillas", "lavavajillas"),
    },
    {"en": ("phone", "telephone"), "de": ("Telefon", "Handy"), "es": ("teléfono", "móvil")},
    {"en": ("shower", "bath"), "de": ("Dusche", "Bad"), "es": ("ducha", "baño")},
    {"en": ("alarm", "alarm"), "de": ("Alarm", "Alarm"), "es": ("alarma", "alarma")},
    {"en": ("meter", "meter"), "de": ("Zähler", "Zähler"), "es": ("contador", "contador")},
    {"en": ("pool", "pool"), "de": ("Becken", "Schwimmbecken"), "es": ("piscina", "piscina")},
    {"en": ("dog", "puppy"), "de": ("Hund", "Welpe"), "es": ("perro", "cachorro")},
)
PLACES: tuple[dict[Language, str], ...] = (
    {"en": "the holiday flat", "de": "die Ferienwohnung", "es": "el piso de vacaciones"},
    {"en": "the office", "de": "das Büro", "es": "la oficina"},
    {"en": "the school", "de": "die Schule", "es": "la escuela"},
    {"en": "grandmother's house", "de": "das Haus der Großmutter", "es": "la casa de la abuela"},
    {"en": "the workshop", "de": "die Werkstatt", "es": "el taller"},
    {"en": "the neighbour's garage", "de": "die Garage der Nachbarn", "es": "el garaje del vecino"},
    {"en": "the music club", "de": "der Musikverein", "es": "el club de música"},
    {"en": "the shop", "de": "der Laden", "es": "la tienda"},
    {"en": "the hotel", "de": "das Hotel", "es": "el hotel"},
    {"en": "the boat", "de": "das Boot", "es": "el barco"},
    {"en": "the farm", "de": "der Bauernhof", "es": "la granja"},
    {"en": "the theatre", "de": "das Theater", "es": "el teatro"},
)
FACTS: tuple[dict[Language, tuple[str, str, str]], ...] = (
    {
        "en": (
            "It is repaired by {v}.",
            "Who repairs the {t}: {p}?",
            "Who takes care of maintenance of the {s}: {p}?",
        ),
        "de": (
            "Die Reparatur macht {v}.",
            "Wer macht die Reparatur: {t}, {p}?",
            "Wer übernimmt die Wartung: {s}, {p}?",
        ),
        "es": (
            "La reparación la hace {v}.",
            "¿Quién hace la reparación: {t}, {p}?",
            "¿Quién se ocupa del mantenimiento: {s}, {p}?",
        ),
    },
    {
        "en": (
            "The price was {v} euros.",
            "What was the price of the {t}: {p}?",
            "How much did the {s} cost: {p}?",
        ),
        "de": (
            "Der Preis war {v} Euro.",
            "Wie war der Preis: {t}, {p}?",
            "Welche Kosten gab es: {s}, {p}?",
        ),
        "es": (
            "El precio fue {v} euros.",
            "¿Cuál fue el precio: {t}, {p}?",
            "¿Cuánto costo hubo: {s}, {p}?",
        ),
    },
    {
        "en": (
            "The warranty ends in {v}.",
            "When does the warranty of the {t} end: {p}?",
            "Until when is there a guarantee on the {s}: {p}?",
        ),
        "de": (
            "Die Garantie endet {v}.",
            "Wann endet die Garantie: {t}, {p}?",
            "Bis wann gilt die Gewährleistung: {s}, {p}?",
        ),
        "es": (
            "La garantía termina en {v}.",
            "¿Cuándo termina la garantía: {t}, {p}?",
            "¿Hasta cuándo hay garantía: {s}, {p}?",
        ),
    },
    {
        "en": (
            "The key is kept by {v}.",
            "Who keeps the key of the {t}: {p}?",
            "With whom are the keys of the {s}: {p}?",
        ),
        "de": (
            "Den Schlüssel hat {v}.",
            "Wer hat den Schlüssel: {t}, {p}?",
            "Bei wem liegen Schlüssel: {s}, {p}?",
        ),
        "es": (
            "La llave la tiene {v}.",
            "¿Quién tiene la llave: {t}, {p}?",
            "¿Con quién están las llaves: {s}, {p}?",
        ),
    },
)
FILLER: dict[Language, tuple[str, ...]] = {
    "en": (
        "This paper belongs in the folder in the hall.",
        "Ask before changing anything.",
        "It was written down after the last visit.",
        "Everyone in the house should know it.",
    ),
    "de": (
        "Dieses Blatt gehört in den Ordner im Flur.",
        "Frage, bevor du etwas änderst.",
        "Es wurde nach dem letzten Besuch notiert.",
        "Alle im Haus sollten es wissen.",
    ),
    "es": (
        "Esta hoja va en la carpeta del pasillo.",
        "Pregunta antes de cambiar algo.",
        "Se anotó después de la última visita.",
        "Todos en casa deben saberlo.",
    ),
}
UNSTATED: tuple[dict[Language, str], ...] = (
    {
        "en": "What colour is the {t}: {p}?",
        "de": "Welche Farbe hat es: {t}, {p}?",
        "es": "¿De qué color es: {t}, {p}?",
    },
    {
        "en": "How heavy is the {t}: {p}?",
        "de": "Wie schwer ist es: {t}, {p}?",
        "es": "¿Cuánto pesa: {t}, {p}?",
    },
    {
        "en": "What is the insurance number of the {t}: {p}?",
        "de": "Wie ist die Versicherungsnummer: {t}, {p}?",
        "es": "¿Cuál es el número del seguro: {t}, {p}?",
    },
)
"""What no paper says of its thing."""


Pair = tuple[dict[Language, tuple[str, str]], dict[Language, str]]
"""A thing and a place."""


@dataclass(frozen=True, slots=True)
class Paper:
    """A document; `facts` are the statements that questions ask for."""

    name: str
    content: bytes
    facts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, the statement that answers it, "" for none, and the papers that have it."""

    question: str
    wording: Wording
    answer: str
    papers: frozenset[str]


def _pdf(sections: Sequence[tuple[str, str]]) -> bytes:
    return documents.pdf([f"{heading}\n{text}" for heading, text in sections])


def _csv(sections: Sequence[tuple[str, str]]) -> bytes:
    return documents.comma_separated([("title", "text"), *sections])


def _sheet(sections: Sequence[tuple[str, str]]) -> bytes:
    return documents.sheets([("Papers", [("title", "text"), *sections])])


def _text(sections: Sequence[tuple[str, str]]) -> bytes:
    return "\n\n".join(f"{heading}\n\n{text}" for heading, text in sections).encode()


KINDS: dict[str, Callable[[Sequence[tuple[str, str]]], bytes]] = {
    "pdf": _pdf,
    "docx": documents.word,
    "pptx": documents.slides,
    "xlsx": _sheet,
    "csv": _csv,
    "html": documents.page,
    "md": documents.markdown,
    "txt": _text,
    "epub": documents.book,
}


def make_corpus(seed: int = 8) -> tuple[list[Paper], list[Asked]]:
    """Return 240 papers, of which 20 nearly repeat another, and 300 questions."""
    dice = random.Random(seed)  # noqa: S311 - seeded
    papers: list[Paper] = []
    askable: list[
        tuple[dict[Language, tuple[str, str]], dict[Language, str], int, Language, str, str]
    ] = []
    told, untold = pairs()
    for number, (thing, place) in enumerate(told):
        language = LANGUAGES[number % 3]
        kind = list(KINDS)[number % len(KINDS)]
        stated = [_value(dice, fact) for fact in range(len(FACTS))]
        facts = tuple(FACTS[at][language][0].format(v=value) for at, value in enumerate(stated))
        name = f"paper-{number:03}.{kind}"
        heading = f"{thing[language][0]}: {place[language]}"
        papers.append(_paper(dice, name, kind, heading, facts, language))
        if number % 11 == 0:
            papers.append(_paper(dice, f"copy-{number:03}.{kind}", kind, heading, facts, language))
        askable += [(thing, place, at, language, name, fact) for at, fact in enumerate(facts)]
    questions = [
        _question(dice, index, *entry) for index, entry in enumerate(dice.sample(askable, 240))
    ]
    questions += _of_unstated_facts(dice.sample(told, 30)) + _of_unknown_pairs(untold)
    return papers, questions


def pairs() -> tuple[list[Pair], list[Pair]]:
    """Return the things and places of which there is a paper, and those of which there is none.

    Every thing has a paper in all places but one.
    """
    told, untold = list[Pair](), list[Pair]()
    for at, thing in enumerate(THINGS):
        for beside, place in enumerate(PLACES):
            (untold if at % len(PLACES) == beside else told).append((thing, place))
    return told, untold


def halves(questions: Sequence[Asked]) -> tuple[list[Asked], list[Asked]]:
    """Return the questions on which settings are chosen, and those on which they are judged.

    Both have as many of each wording.
    """
    first = [asked for at, asked in enumerate(questions) if at // 2 % 2 == 0]
    second = [asked for at, asked in enumerate(questions) if at // 2 % 2 == 1]
    return first, second


def _value(dice: random.Random, fact: int) -> str:
    letters = ("BDFGKLMNPRST", "aeiou", "lmnr", "aeiou", "kdst")
    company = "".join(dice.choice(each) for each in letters)
    return (company, str(dice.randrange(100, 9000)), str(dice.randrange(2027, 2040)), company)[fact]


def _paper(
    dice: random.Random,
    name: str,
    kind: str,
    heading: str,
    facts: Sequence[str],
    language: Language,
) -> Paper:
    middle = len(facts) // 2
    parts = [facts[:middle], facts[middle:]]
    sections = [
        (
            heading,
            " ".join(
                [*(f"{heading}. {fact}" for fact in part), *dice.choices(FILLER[language], k=8)]
            ),
        )
        for part in parts
    ]
    return Paper(name, KINDS[kind](sections), tuple(facts))


def _question(
    dice: random.Random,
    index: int,
    thing: dict[Language, tuple[str, str]],
    place: dict[Language, str],
    fact: int,
    language: Language,
    name: str,
    answer: str,
) -> Asked:
    if index % 2 == 0:
        question = FACTS[fact][language][1].format(t=thing[language][0], p=place[language])
        return Asked(question, "same words", answer, _papers(name))
    asked_in = dice.choice(LANGUAGES)
    question = FACTS[fact][asked_in][2].format(s=thing[asked_in][1], p=place[asked_in])
    return Asked(question, "other words", answer, _papers(name))


def _papers(name: str) -> frozenset[str]:
    return frozenset({name, name.replace("paper-", "copy-")})


def _of_unstated_facts(told: Sequence[Pair]) -> list[Asked]:
    """Ask for what the papers of these pairs do not say, in each language as often."""
    asked = []
    for at, (thing, place) in enumerate(told):
        language = LANGUAGES[at % 3]
        form = UNSTATED[at // 3 % len(UNSTATED)][language]
        asked.append(_unanswerable(form.format(t=thing[language][0], p=place[language])))
    return asked


def _of_unknown_pairs(untold: Sequence[Pair]) -> list[Asked]:
    """Ask for facts, of which papers have the like, about pairs without a paper; 30 questions."""
    asked = []
    for at in range(30):
        (thing, place), language = untold[at % len(untold)], LANGUAGES[at % 3]
        form = FACTS[at // 3 % len(FACTS)][language][1]
        asked.append(_unanswerable(form.format(t=thing[language][0], p=place[language])))
    return asked


def _unanswerable(question: str) -> Asked:
    return Asked(question, "unanswerable", "", frozenset())
