"""The process that opens a document.

Its arguments are the process that asked, the seconds of processor time for the beginning and,
where a page is to be drawn, its number. The document is standard input, what is found goes to
standard output: a line of JSON for each page and piece, or the picture. It may be killed at any
time, and everything that can go wrong with a document goes wrong here.
"""

import codecs
import json
import os
import resource
import sys
from typing import BinaryIO, Final

from allerac.engine.isolation import isolate, limit_memory
from allerac.knowledge.formats.piece import Page
from allerac.knowledge.formats.reading import read_pieces, reader_of
from allerac.knowledge.formats.sniff import sniff
from allerac.knowledge.reasons import Unreadable
from allerac.knowledge.sandbox import enclose

MEMORY_BYTES: Final = 512 * 1024 * 1024
CPU_SECONDS_IN_ALL: Final = 3600
OPEN_FILES: Final = 32

ENCODINGS: Final = (
    *("ascii", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"),
    *("latin-1", "cp1252", "cp437", "cp1250", "cp1251", "mac-roman", "iso-8859-15"),
)


def main(arguments: list[str]) -> None:
    """Read the document at standard input."""
    isolate(int(arguments[0]))
    _limit(int(arguments[1]))
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # a library that prints shall not be taken for the document
    try:
        with os.fdopen(0, "rb") as document:
            _work(document, output, arguments[2:])
    except Unreadable as error:
        _say(output, {"failed": error.reason})
    except MemoryError:
        _say(output, {"failed": "too_much_memory"})
    except RecursionError:
        _say(output, {"failed": "bomb"})
    except Exception as error:  # noqa: BLE001 - whatever a library stumbles over is the document's fault
        sys.stderr.write(f"{type(error).__name__}\n")  # never its words: they may quote the text
        _say(output, {"failed": "damaged"})
    output.flush()
    os._exit(0)  # no library's farewell


def _limit(cpu_seconds: int) -> None:
    """Take `cpu_seconds` for the beginning; who reads our output grants what each page needs."""
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, CPU_SECONDS_IN_ALL))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))
    limit_memory(MEMORY_BYTES)


def _work(document: BinaryIO, output: BinaryIO, words: list[str]) -> None:
    """Import what is needed, close all doors, and only then let a library see the document."""
    if words:
        from allerac.knowledge.formats import pdf

        enclose()
        output.write(pdf.draw(document, int(words[0])))
        return
    kind = sniff(document)
    _say(output, {"kind": kind})
    reader = reader_of(kind)
    for name in ENCODINGS:
        codecs.lookup(name)  # reads a file at its first use
    enclose()
    for part in read_pieces(document, reader):
        if isinstance(part, Page):
            _say(output, {"page": part.number, "of": part.count})
        else:
            _say(output, {"text": [part.text, part.heading, part.page, part.begins]})
    _say(output, {"done": True})


def _say(output: BinaryIO, message: dict[str, object]) -> None:
    output.write(json.dumps(message).encode() + b"\n")
    if "text" not in message:
        output.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
