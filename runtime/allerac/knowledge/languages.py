"""In which language a text is written, told by its little words."""

import re
from collections.abc import Mapping
from typing import Final

from .plain import plain

LITTLE_WORDS: Final[Mapping[str, str]] = {
    "de": """aber als auf aus bei bin bis das dass dein dem den der des die dir du ein eine einem
        einen einer es fur hat haben ich ihr ihre im ist ja kann mein meine mir mit nach nicht noch
        oder sein sich sie sind uber um und uns unser unsere unserem unseren vom von vor wann war
        warum was welche welcher welches wenn wer wie wieviel wir wird wo zu zum zur""",
    "en": """a about after all also am an and any are as at be been but by can could did do does for
        from get had has have he her his how i if in into is it its just me my no not of on one or
        our out please say says she should so some tell than that the their them then there these
        they this to up us was we were what when where which who whom whose why will with would you
        your""",
    "es": """al como con cual cuando cuanto de del donde el ella en es esta este ha hay la las lo
        los mas mi no nos nuestra nuestro o para pero por que quien se ser si son su sus un una
        y""",
    "fr": """au aux avec ce ces cette comment dans de des du elle en est et il je la le les leur lui
        ma mais mon ne nous notre ou par pas pour qu quand que quel quelle qui sa sans ses son sur
        un une vous votre""",
    "it": """che chi come con da dal del della delle di dove e gli ho i il in la le lo ma mi nel
        non per quale quando si sono su suo un una uno""",
    "pt": """ao com como da das de do dos e em eu foi mais mas meu na nao nas no nos nosso nossa o
        os para pela por qual quando quanto quem se sem seu sua um uma""",
}
"""Small and without accents, by ISO 639-1."""
_SETS: Final = {language: frozenset(words.split()) for language, words in LITTLE_WORDS.items()}
LEAST: Final = 3
READ_CHARACTERS: Final = 2_000


def language_of(text: str) -> str:
    """Return the code of the language, "" where too few little words tell."""
    words = re.findall(r"\w+", plain(text[:READ_CHARACTERS]))
    counts = {language: sum(word in known for word in words) for language, known in _SETS.items()}
    best = max(counts, key=lambda language: counts[language])
    return best if counts[best] >= LEAST else ""
