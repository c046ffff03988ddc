"""Why a document could not be read, in words, and what to do about it."""

from collections.abc import Mapping
from dataclasses import dataclass


class Unreadable(Exception):  # noqa: N818 - reads as what happened
    """This document cannot be read; `reason` is a key of `REASONS`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Reason:
    """What a person is told."""

    message: str
    hint: str


REASONS: Mapping[str, Reason] = {
    "empty": Reason("This file is empty.", "Choose the file again: it may not have been saved."),
    "unknown_kind": Reason(
        "This is not a kind of document that the box reads.",
        "It reads PDF, Word, Excel, PowerPoint, EPUB, HTML, CSV, Markdown and plain text.",
    ),
    "picture": Reason(
        "This is a picture, and the box cannot read the words in pictures yet.",
        "Add the text as a document.",
    ),
    "scan": Reason(
        "These pages are pictures of text, and the box cannot read the words in pictures yet.",
        "Scan again with text recognition, or add the text as a document.",
    ),
    "no_text": Reason("There is no text in this document.", "Open it and see whether it has any."),
    "encrypted": Reason(
        "This document is locked with a password.",
        "Save a copy without a password and add that one.",
    ),
    "old_office": Reason(
        "This is a locked document or one of an old Office.",
        "Save it without a password as .docx, .xlsx or .pptx and add that one.",
    ),
    "damaged": Reason(
        "This file is damaged: it cannot be opened.",
        "Open it on your computer, save it anew and add that copy.",
    ),
    "bomb": Reason(
        "This file unpacks to far more than it seems, so the box did not open it.",
        "If you trust it, split it into smaller documents.",
    ),
    "too_much_memory": Reason(
        "Reading this document takes more memory than the box gives to one.",
        "Split it into smaller documents.",
    ),
    "too_slow": Reason(
        "A page of this document takes too long to read.", "Save it anew, or leave that page out."
    ),
    "too_many_pages": Reason(
        "This document has more pages than the box takes at once.",
        "Split it into parts of up to 5,000 pages.",
    ),
    "too_long": Reason(
        "This document has more text than the box takes at once.", "Split it into smaller ones."
    ),
    "crashed": Reason(
        "The program that reads documents stopped at this one; nothing else was touched.",
        "The file may be damaged. Save it anew and add that copy.",
    ),
    "gave_up": Reason(
        "The box was stopped several times while it read this document.", "Try again."
    ),
    "missing": Reason("The file is no longer on the box.", "Add it again."),
    "no_model": Reason(
        "There is no model on board that reads documents.",
        "Download it under Box, Models; the box then reads this document by itself.",
    ),
    "no_room": Reason(
        "This document waits: the disk is full.",
        "Remove a model or what you do not need; the box then goes on by itself.",
    ),
    "too_hot": Reason(
        "This document waits: the box is too hot.",
        "Give it some air; it goes on by itself when it has cooled down.",
    ),
    "no_engine": Reason(
        "This document waits: the program that reads documents has stopped.",
        "The box starts it again and goes on by itself.",
    ),
}
