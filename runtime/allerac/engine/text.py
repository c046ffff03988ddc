"""From the bytes of tokens to text: characters that are whole, stop strings that are cut."""

import codecs
from collections.abc import Sequence


class AnswerText:
    """Turns token bytes into text that may be shown.

    Holds back what may still become a character or a stop string. A model can produce bytes that
    are no text; each such run becomes U+FFFD.
    """

    def __init__(self, stops: Sequence[str]) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._stops = tuple(stops)
        self._held = ""
        self.stopped = False

    def push(self, piece: bytes) -> str:
        """Take the bytes of one token; returns the text that is certain by now.

        Sets `stopped` when a stop string is complete; it and what follows are dropped.
        """
        return self._release(self._decoder.decode(piece))

    def finish(self) -> str:
        """The text held back, once no token follows."""
        text = self._release(self._decoder.decode(b"", final=True)) + self._held
        self._held = ""
        return text

    def _release(self, new: str) -> str:
        if self.stopped or not self._stops:
            return "" if self.stopped else new
        text = self._held + new
        found = [at for at in (text.find(stop) for stop in self._stops) if at >= 0]
        if found:
            self.stopped, self._held = True, ""
            return text[: min(found)]
        keep = max(overlap(text, stop) for stop in self._stops)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]


def overlap(text: str, stop: str) -> int:
    """Length of the longest end of `text` that is a beginning of `stop`."""
    for length in range(min(len(text), len(stop) - 1), 0, -1):
        if text.endswith(stop[:length]):
            return length
    return 0
