"""From a request to an answer that can be scheduled: render, tokenise, measure.

Runs in a thread of its own, so that a long prompt does not hold up the text of others.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from allerac.engine.answer import Answer, CallListener, Ticket
from allerac.engine.limits import check_request, check_size
from allerac.engine.llama import Model
from allerac.engine.protocol import PromptMessage
from allerac.engine.sampling import Samplers
from allerac.engine.template import PromptTemplate
from allerac.engine.tools import Tools
from allerac.errors import ContextTooLong, InvalidInput

# Several tokenizers of llama.cpp match with std::regex, which recurses once per letter of a match
# and overflows the stack on a run of some hundred thousand.
RUN_CHARACTERS_LIMIT: Final = 8192
_RUNS: Final = re.compile(r"\S+|\s+")


class Intake:
    """Prepares requests for one model, of which a conversation may use `context_length` tokens."""

    def __init__(self, model: Model, context_length: int) -> None:
        self._model = model
        self._context_length = context_length
        self._samplers = Samplers(model)
        self._template = PromptTemplate(
            model.template(), bos=model.bos, eos=model.eos, control_tokens=model.control_tokens()
        )
        self._tools = Tools(self._template)

    def answer(self, ticket: Ticket) -> Answer:
        """Raises `InvalidInput` or `ContextTooLong`."""
        request = ticket.request
        check_request(request, self._context_length)
        prompt = self._tokens(self._tools.messages(request), self._tools.described(request))
        prompt += self._special(self._tools.prefill(request))
        room = self._context_length - len(prompt)
        if room < 1:
            raise ContextTooLong(len(prompt), self._context_length)
        if not prompt:
            raise InvalidInput("There is nothing to answer.")
        limit = min(request.sampling.max_tokens or room, room)
        sampler = self._samplers.make(self._tools.sampling(request))
        reader = self._tools.reader(request)
        speak = CallListener(reader, self._spelled(self._tools.marks(request))) if reader else None
        return Answer(ticket, prompt, limit, sampler, speak)

    def count(self, messages: Sequence[PromptMessage]) -> int:
        """Tokens of the rendered prompt; raises like `answer`."""
        check_size(messages, self._context_length)
        return len(self._tokens(messages))

    def _spelled(self, marks: frozenset[str]) -> dict[int, bytes]:
        """The tokens of `marks`, where the vocabulary has them as control tokens."""
        spelled = {}
        for mark in marks:
            tokens = self._special(mark)
            if len(tokens) == 1 and self._model.control_spelling(tokens[0]) == mark:
                spelled[tokens[0]] = mark.encode()
        return spelled

    def _special(self, text: str) -> list[int]:
        return self._model.tokenize(text, add_special=False, parse_special=True) if text else []

    def _tokens(
        self, messages: Sequence[PromptMessage], tools: Sequence[Mapping[str, object]] = ()
    ) -> list[int]:
        tokens: list[int] = []
        for span in self._template.render(messages, tools):
            for text in _short_runs(span.text):
                first = not tokens and self._model.adds_bos(text)
                tokens += self._model.tokenize(text, add_special=first, parse_special=span.special)
        return tokens


def _short_runs(text: str) -> Iterator[str]:
    """Cut `text` where it goes on for too long without a change between space and letters."""
    start = 0
    if len(text) > RUN_CHARACTERS_LIMIT:
        for run in _RUNS.finditer(text):
            for end in range(run.start() + RUN_CHARACTERS_LIMIT, run.end(), RUN_CHARACTERS_LIMIT):
                yield text[start:end]
                start = end
    yield text[start:]
