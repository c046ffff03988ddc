"""Facts: what a passage states, how a person asks for it and what the answer is."""

from dataclasses import dataclass

from demo_model import values
from demo_model.lexicon import WordSource

REFUSAL = "I do not know."
STATEMENTS = (
    *("{answer}",) * 7,
    "{name}: {value}.",
    "{name}: {value}.",
    "Note: {key} {verb} {value}.",
    "Since {year}, {key} {verb} {value}.",
    "Please remember that {key} {verb} {value}.",
    "{name} {verb} {value} and this will not change.",
    "We found out that {key} {verb} {value}.",
)
QUESTIONS = (
    *("What is {key}?",) * 7,
    "What's {key}?",
    "Tell me {key}.",
    "Do you know {key}?",
    "Can you tell me {key}?",
    "I need {key}.",
    "Please look up {key}.",
    "what is {key}",
    "Who is {key}?",
    "When is {key}?",
    "Where is {key}?",
    "Which is {key}?",
    "Please tell me {key}.",
    "Hello, what is {key}?",
    "What was {key}?",
)
SUFFIXES = (
    "code",
    "number",
    "date",
    "name",
    "model",
    "password",
    "address",
    "time",
    "colour",
    "size",
)


@dataclass(frozen=True, slots=True)
class Fact:
    """One statement about ``key``; ``answer`` is its full sentence, ``value`` the wanted part."""

    key: str
    value: str
    statement: str
    question: str
    answer: str


def capitalised(text: str) -> str:
    """``text`` with its first letter in upper case and the rest as it is."""
    return text[0].upper() + text[1:]


def fact(source: WordSource, key: str, *, plain: bool = False) -> Fact:
    """A fact about ``key``: mostly that it is something, else that somebody looks after it."""
    if not plain and key.startswith("the ") and source.chance(0.4):
        return _care(source, key)
    value = values.value(source)
    name = capitalised(key)
    answer = f"{name} is {value}."
    statement = answer if plain else source.pick(STATEMENTS)
    year = source.randrange(1990, 2035)
    statement = statement.format(
        key=key, name=name, value=value, verb="is", year=year, answer=answer
    )
    return Fact(key, value, statement, source.pick(QUESTIONS).format(key=key), answer)


def _care(source: WordSource, key: str) -> Fact:
    """Who does something for ``key``, told in the passive or the active voice."""
    third, participle, _ = source.verb()
    value = values.company(source) if source.chance(0.6) else values.person(source)
    if source.chance(0.55):
        answer = f"{capitalised(key)} is {participle} by {value}."
        asked = source.pick(
            (f"Who {third} {key}?", f"Who {third} {key}?", f"By whom is {key} {participle}?")
        )
    else:
        answer = f"{value} {third} {key}."
        asked = f"Who {third} {key}?"
    return Fact(key, value, answer, asked, answer)


def _thing(source: WordSource) -> str:
    draw = source.random()
    if draw < 0.45:
        return source.listed_thing()
    if draw < 0.6:
        return source.object()
    if draw < 0.75:
        return f"{source.word()} {source.pick(SUFFIXES)}"
    if draw < 0.87:
        return f"{source.word()} {source.word()}"
    return source.word() if draw < 0.94 else source.syllables()


def _key(source: WordSource) -> str:
    draw = source.random()
    if draw < 0.5:
        return f"the {_thing(source)}"
    if draw < 0.85:
        return f"{source.name()}'s {_thing(source)}"
    return f"the {source.word()} {_thing(source)}"


def _similar(source: WordSource, key: str) -> str:
    """A key that is easily taken for ``key``: the same owner, or all words but one."""
    if "'s " in key:
        owner, thing = key.split("'s ", 1)
        if source.chance(0.6):
            return f"{source.name()}'s {thing}"
        return f"{owner}'s {_thing(source)}"
    parts = key[4:].split(" ")
    if len(parts) == 1 and source.chance(0.5):
        return f"the {source.word()} {parts[0]}"
    parts[source.randrange(len(parts))] = source.pick(
        (source.word(), source.pick(source.listed_thing().split(" ")))
    )
    return "the " + " ".join(parts)


def distinct_keys(source: WordSource, count: int) -> list[str]:
    """``count`` keys of which none ends another; in seven sets of ten some are confusable."""
    keys: list[str] = []
    confusable = source.chance(0.7)
    while len(keys) < count:
        similar = keys and confusable and source.chance(0.5)
        key = _similar(source, source.pick(keys)) if similar else _key(source)
        if not any(known.endswith(key) or key.endswith(known) for known in keys):
            keys.append(key)
    source.shuffle(keys)
    return keys
