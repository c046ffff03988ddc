"""The words of a question that say what it is about."""

import re
import unicodedata
from typing import Final

MAX_WORDS: Final = 16
STEM_FROM: Final = 6
"""Words of as many letters also count without their last two, which is where languages inflect."""

_LITTLE: Final = """
a about after all also am an and any are as at be been but by can could did do does for from get
had has have he her his how i if in into is it its just me my no not of on one or our out please
say says she should so some tell than that the their them then there these they this to up us was
we were what when where which who whom whose why will with would you your aber als auf aus bei bin
bis das dass dein dem den der des die dir du ein eine einem einen einer es fur hat haben ich ihr
ihre im ist ja kann mein meine mir mit nach nicht noch oder sein sich sie sind uber um und uns
unser unsere unserem unseren vom von vor wann war warum was welche welcher welches wenn wer wie
wieviel wir wird wo zu zum zur al como con cual cuando cuanto de del donde el ella en esta este ha
hay la las lo los mas mi no nos nuestra nuestro o para pero por que quien se ser si son su sus un
una y au aux avec ce ces cette comment dans des du elle est et il je le les leur lui ma mais mon
ne nous notre ou par pas pour qu quand quel quelle qui sa sans ses sur une vous votre che chi da
dal della delle di dove gli ho i non per quale quando sono suo uno ao com da das do dos eu foi
mais meu na nao nas nosso nossa os pela qual quanto seu sua uma
"""
LITTLE: Final = frozenset(_LITTLE.split())


def words_of(question: str) -> list[str]:
    """Return the telling words of `question`, small and without accents; all if none tells."""
    found = list(dict.fromkeys(re.findall(r"\w+", plain(question))))
    telling = [word for word in found if word not in LITTLE]
    return (telling or found)[:MAX_WORDS]


def stem(word: str) -> str:
    """Return what a word has in common with its other forms."""
    return word[:-2] if len(word) >= STEM_FROM else word


def coverage(text: str, words: list[str]) -> float:
    """Return which share of `words` occurs in `text`, in any form."""
    if not words:
        return 0.0
    known = plain(text)
    starts = {match[0] for match in re.finditer(r"\w+", known)}
    hit = sum(any(each.startswith(stem(word)) for each in starts) for word in words)
    return hit / len(words)


def plain(text: str) -> str:
    """Return `text` in small letters without accents."""
    split = unicodedata.normalize("NFD", text.lower())
    return "".join(letter for letter in split if not unicodedata.combining(letter))
