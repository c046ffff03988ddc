"""Answers within a grammar: choose freely, check the one token, look at all only if it is refused.

Checking every token of a large vocabulary costs some ten milliseconds, checking one nearly nothing,
and a model that was asked for JSON mostly writes it. The grammar of llama.cpp takes bytes for
characters too easily (`0xC0 0xA2` for a quotation mark), so tokens that would break a character
never get that far.
"""

import codecs
from typing import Final

import numpy as np

from allerac.engine.llama import Context, Model
from allerac.engine.llama_samplers import Candidates, Grammar, SamplerChain, Tokens

_CONTINUES: Final = range(0x80, 0xC0)  # first bytes that go on with a character (RFC 3629)


class Spelling:
    """Which tokens of a vocabulary keep what is written valid UTF-8. Made once for a model."""

    def __init__(self, model: Model) -> None:
        pieces = [model.spelled(token) for token in range(model.vocabulary_size)]
        broken = [token for token, piece in enumerate(pieces) if not _is_text(piece)]
        going_on = [token for token in broken if pieces[token][:1] and _goes_on(pieces[token])]
        ends = {token for token in range(model.vocabulary_size) if model.ends_answer(token)}
        self._pieces = pieces
        self._ends = ends
        self.end = min(ends, default=-1)
        self.broken: Tokens = np.array([token for token in broken if token not in ends], np.int32)
        self._going_on = going_on
        self._fitting: dict[bytes, Tokens] = {}

    def fitting(self, held: bytes) -> Tokens:
        """Tokens that may follow the beginning of a character, `held`."""
        found = self._fitting.get(held)
        if found is None:
            fits = [token for token in self._going_on if _is_text(held + self._pieces[token])]
            found = self._fitting[held] = np.array(fits, np.int32)
        return found

    def allows(self, held: bytes, token: int) -> bool:
        """Tell whether `token` may follow `held`, the beginning of a character or nothing."""
        if token in self._ends:
            return not held
        return _is_text(held + self._pieces[token])

    def held_after(self, held: bytes, token: int) -> bytes:
        """Return the bytes of a character that is not complete after `token`."""
        decoder = codecs.getincrementaldecoder("utf-8")()
        decoder.decode(held + self._pieces[token])
        return decoder.getstate()[0]


def _is_text(piece: bytes) -> bool:
    """Whether `piece` is UTF-8 whose last character may be incomplete; nothing is no text."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(piece)
    except UnicodeDecodeError:
        return False
    return bool(piece)


def _goes_on(piece: bytes) -> bool:
    return piece[0] in _CONTINUES


class InGrammar:
    """Samples by `chain` what `grammar` allows."""

    def __init__(
        self, chain: SamplerChain, grammar: Grammar, spelling: Spelling, vocabulary_size: int
    ) -> None:
        self._chain = chain
        self._grammar = grammar
        self._spelling = spelling
        self._candidates = Candidates(vocabulary_size)
        self._held = b""

    def sample(self, context: Context, row: int) -> int:
        """The next token after batch row `row`; the end where no token can go on."""
        logits = context.logits(row)
        self._candidates.fill(logits)
        token = self._chain.apply(self._candidates)
        if token < 0 or not self._is_allowed(token):
            self._candidates.fill(logits)
            if self._held:
                self._candidates.keep(self._spelling.fitting(self._held))
            else:
                self._candidates.drop(self._spelling.broken)
            self._grammar.apply(self._candidates)
            if self._candidates.best() < 0:
                return self._spelling.end
            token = self._chain.apply(self._candidates)
        self._chain.accept(token)
        self._grammar.accept(token)
        self._held = self._spelling.held_after(self._held, token)
        return token

    def _is_allowed(self, token: int) -> bool:
        if not self._spelling.allows(self._held, token):
            return False
        self._candidates.fill_one(token)
        self._grammar.apply(self._candidates)
        return self._candidates.best() == token

    def free(self) -> None:
        """Give the memory back."""
        self._chain.free()
        self._grammar.free()
