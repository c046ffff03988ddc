"""Makes ``words.txt`` from the word list of the Debian package ``wamerican-small``.

Run as ``python -m demo_model.words /usr/share/dict/american-english-small``. The list is SCOWL;
its licence asks that the notice below stays with every copy, so it is written into the file.
"""

import argparse
import re
import zlib
from pathlib import Path

WORDS_FILE = Path(__file__).with_name("words.txt")
NOTICE = """\
# English words of 3 to 8 letters, chosen by checksum from american-english-small (Debian package
# wamerican-small 2020.12.07-2, made from SCOWL). Written by demo_model/words.py.
# Copyright 2000-2011 by Kevin Atkinson. Permission to use, copy, modify, distribute and sell these
# word lists, the associated scripts, the output created from the scripts, and its documentation
# for any purpose is hereby granted without fee, provided that the above copyright notice appears
# in all copies and that both that copyright notice and this permission notice appear in
# supporting documentation. Kevin Atkinson makes no representations about the suitability of this
# array for any purpose. It is provided "as is" without express or implied warranty.
"""
_PLAIN_WORD = re.compile(r"(?=.*[aeiouy])[a-z]{3,8}")
_INFLECTED = re.compile(r".*(s|ed|ing|ly)")
_KEPT_OF_TEN = 9


def choose(lines: list[str]) -> list[str]:
    """The words of ``lines`` worth keeping: lower case, not inflected, nine in ten by CRC-32."""
    return [
        word
        for word in lines
        if _PLAIN_WORD.fullmatch(word)
        and not _INFLECTED.fullmatch(word)
        and zlib.crc32(b"keep " + word.encode()) % 10 < _KEPT_OF_TEN
    ]


def read() -> list[str]:
    """The words of ``words.txt`` in its order, without the notice."""
    lines = WORDS_FILE.read_text(encoding="ascii").splitlines()
    return [line for line in lines if not line.startswith("#")]


def main() -> None:
    """Write ``words.txt`` from the list named on the command line."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("list", type=Path)
    words = choose(parser.parse_args().list.read_text(encoding="utf-8").splitlines())
    WORDS_FILE.write_text(NOTICE + "\n".join(words) + "\n", encoding="ascii")
    print(f"{len(words)} words, {WORDS_FILE.stat().st_size} bytes")


if __name__ == "__main__":
    main()
