"""The values that facts state: codes, dates, names, places and so on."""

from collections.abc import Callable

from demo_model.lexicon import WordSource

MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
UNITS = [
    "euros",
    "metres",
    "degrees",
    "kg",
    "percent",
    "dollars",
    "minutes",
    "km",
    "hours",
    "litres",
    "days",
    "bar",
    "mm",
]
TITLES = ["Dr.", "Mr.", "Mrs.", "Ms.", "Prof.", "St."]
TRADES = [
    "Heating",
    "Cleaning",
    "Plumbing",
    "Gardens",
    "Services",
    "Energy",
    "Bakery",
    "Electric",
    "Logistics",
    "Motors",
    "Studio",
    "Insurance",
    "Builders",
    "Garage",
    "Dental",
    "Travel",
]
COMPANY_ENDINGS = ["Ltd", "Inc", "GmbH", "Brothers", "and Sons", "Group", "Company"]
PLACES = [
    "in the {w} drawer",
    "under the {w}",
    "behind the {w} {w}",
    "next to the {w}",
    "on the {w} shelf",
    "in the {w}",
    "on the second floor",
    "with {n}",
    "above the {w} door",
    "near {n} station",
    "at the {w} office",
    "in {n}",
]
UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
ALPHANUMERIC = UPPER + UPPER.lower() + "0123456789"


def moment(source: WordSource) -> str:
    """A date, a weekday or a time of day."""
    draw = source.randrange(6)
    if draw == 0:
        return f"{source.randrange(24):02d}:{source.randrange(60):02d}"
    if draw == 1:
        return source.pick(DAYS)
    if draw == 2:
        return f"{source.pick(MONTHS)} {source.randrange(1, 32)}"
    if draw == 3:
        return f"20{source.digits(2, 2)}-{source.digits(2, 2)}-{source.digits(2, 2)}"
    day = f"{source.randrange(1, 32)} {source.pick(MONTHS)}"
    return f"{day} {source.randrange(1950, 2040)}" if draw == 4 else day


def person(source: WordSource) -> str:
    """A name as people write it, with or without a surname or a title."""
    draw = source.random()
    if draw < 0.35:
        return source.name()
    if draw < 0.8:
        return f"{source.name()} {source.name()}"
    return f"{source.pick(TITLES)} {source.name()}"


def company(source: WordSource) -> str:
    """A firm such as ``Miller Heating``."""
    if source.chance(0.6):
        return f"{source.name()} {source.pick(TRADES)}"
    if source.chance(0.5):
        return f"{source.name()} {source.word().capitalize()}"
    return f"{source.name()} {source.pick(COMPANY_ENDINGS)}"


def place(source: WordSource) -> str:
    """Where something lies."""
    template = source.pick(PLACES)
    while "{w}" in template:
        template = template.replace("{w}", source.word(), 1)
    return template.replace("{n}", source.name())


def _hyphenated(source: WordSource) -> str:
    return f"{source.word()}-{source.word()}-{source.digits(1, 3)}"


def _amount(source: WordSource) -> str:
    number = str(source.randrange(1, 1000))
    if source.chance(0.2):
        number += f".{source.digits(1, 2)}"
    return f"{number} {source.pick(UNITS)}"


def _letters_and_digits(source: WordSource) -> str:
    letters = "".join(source.pick(UPPER) for _ in range(source.randint(1, 3)))
    return letters + source.pick(["", "-", " "]) + source.digits(2, 5)


def _random_characters(source: WordSource) -> str:
    return "".join(source.pick(ALPHANUMERIC) for _ in range(source.randint(4, 10)))


def _email(source: WordSource) -> str:
    return f"{source.word()}@{source.word()}.{source.pick(['com', 'org', 'net', 'de'])}"


def _phone(source: WordSource) -> str:
    return f"+{source.digits(2, 2)} {source.digits(2, 3)} {source.digits(4, 7)}"


def _street(source: WordSource) -> str:
    street = source.pick(["Street", "Road", "Avenue", "Lane"])
    return f"{source.digits(1, 3)} {source.word().capitalize()} {street}"


def _product(source: WordSource) -> str:
    series = "".join(source.pick(UPPER) for _ in range(source.randint(1, 4)))
    middle = source.pick([source.name(), series])
    return f"{source.name()} {middle} {source.digits(1, 4)}"


def _brand(source: WordSource) -> str:
    name = source.word().upper() + source.pick("!&+:*'") + source.name()
    return name + source.pick([" ", "-"]) + source.digits(1, 4)


def _mixed(source: WordSource) -> str:
    parts = [
        source.pick([source.word(), source.word().capitalize(), source.digits(1, 3)])
        for _ in range(source.randint(2, 3))
    ]
    return source.pick(["_", "-", "/", ".", "#", ""]).join(parts)


def words(source: WordSource, least: int, most: int) -> str:
    """Between ``least`` and ``most`` random words."""
    return " ".join(source.word() for _ in range(source.randint(least, most)))


def _phrase(source: WordSource) -> str:
    return words(source, 2, 4)


KINDS: tuple[Callable[[WordSource], str], ...] = (
    WordSource.word,
    lambda source: source.digits(1, 7),
    lambda source: source.digits(4, 4),
    moment,
    moment,
    moment,
    _hyphenated,
    _hyphenated,
    _hyphenated,
    _amount,
    _amount,
    person,
    person,
    company,
    place,
    place,
    _letters_and_digits,
    _random_characters,
    _email,
    _phone,
    _street,
    _product,
    _brand,
    _mixed,
    _phrase,
)


def value(source: WordSource) -> str:
    """A value of a random kind."""
    return source.choice(KINDS)(source)
