"""Asks the finished file through llama.cpp, greedily, about the held-out half of the vocabulary.

``python -m demo_model.evaluate demo_model/allerac-demo-q8_0.gguf --questions 200``. A question is
answered when the value stands in the answer by itself, not as a part of a longer word, and refused
when the answer is exactly ``I do not know.``. Half as many unknown questions are asked as known.
"""

import argparse
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from llama_cpp import Llama

from demo_model import chat, facts
from demo_model.chat import Conversation, Exchange
from demo_model.facts import REFUSAL
from demo_model.lexicon import WordSource

SEED = 20261
_CITATION = re.compile(r" \[\d+\]$")
LONGEST_ANSWER = 300


@dataclass(slots=True)
class Figures:
    """Hits and tries by name, and the questions that went wrong."""

    hits: dict[str, int] = field(default_factory=dict)
    tries: dict[str, int] = field(default_factory=dict)
    misses: list[tuple[str, str, str]] = field(default_factory=list)

    def record(self, name: str, hit: bool) -> None:
        """Count one try."""
        self.hits[name] = self.hits.get(name, 0) + hit
        self.tries[name] = self.tries.get(name, 0) + 1

    def share(self, name: str) -> float:
        """The share of hits among the tries of ``name``."""
        return self.hits[name] / self.tries[name]

    def lines(self) -> Iterator[str]:
        """One line for each name."""
        for name, tries in self.tries.items():
            yield f"{name:28s} {self.hits[name]:4d} of {tries:<4d} {self.share(name):7.1%}"


class Asker:
    """The model in this process, one thread, always the likeliest token."""

    def __init__(self, path: Path) -> None:
        self._llama = Llama(str(path), n_ctx=2048, n_threads=1, n_threads_batch=1, verbose=False)

    def __call__(self, *turns: str, system: str = "") -> str:
        """The answer to ``turns``, which alternate and begin with the person."""
        prompt = f"<|im_start|>system\n{system}<|im_end|>\n" if system else ""
        for number, turn in enumerate(turns):
            role = ("user", "assistant")[number % 2]
            prompt += f"<|im_start|>{role}\n{turn}<|im_end|>\n"
        ids = self._llama.tokenize(
            f"{prompt}<|im_start|>assistant\n".encode(), add_bos=False, special=True
        )
        answer: list[int] = []
        for token in self._llama.generate(ids, temp=0.0, repeat_penalty=1.0):
            if token == self._llama.token_eos() or len(answer) == LONGEST_ANSWER:
                break
            answer.append(token)
        return self._llama.detokenize(answer).decode("utf-8", "replace")

    def close(self) -> None:
        """Free the model."""
        self._llama.close()


def states(answer: str, value: str) -> bool:
    """Whether ``value`` stands in ``answer`` and is not a part of a longer word."""
    return re.search(rf"(?<![\w-]){re.escape(value)}(?![\w-])", answer) is not None


def ask_passages(ask: Asker, figures: Figures, *, answerable: int, unknown: int) -> None:
    """Questions with passages of one to six facts; the unknown ones have no answer in them."""
    source = WordSource(SEED, held_out=True)
    for number in range(answerable + unknown):
        refuse = number >= answerable
        conversation = chat.ask_passages(
            source, 1 + number % 6, questions=1, missing=1.0 if refuse else 0.0
        )
        exchange = conversation.exchanges[0]
        answer = ask(exchange.question, system=conversation.system)
        if refuse:
            hit = answer == REFUSAL
            figures.record("unknown refused", hit)
        else:
            hit = states(answer, exchange.value)
            figures.record("known answered", hit)
            figures.record("  known: whole sentence", answer == exchange.answer)
            figures.record(f"  known: {_form(exchange)}", hit)
            if cited := _CITATION.search(exchange.answer):
                figures.record("passage cited by number", answer.endswith(cited[0]))
        if not hit:
            text = f"{conversation.system} | {exchange.question}"
            figures.misses.append((text, exchange.answer, answer))


def _form(exchange: Exchange) -> str:
    if exchange.answer.startswith(exchange.value):
        return "active verb"
    passive = f"by {exchange.value}." in exchange.answer
    return "passive verb" if passive else "is"


def ask_pasted(ask: Asker, figures: Figures, *, number: int) -> None:
    """One passage pasted into the message, a blank line, a question: the plainest use."""
    source = WordSource(SEED + 1, held_out=True)
    for turn in range(number):
        stated = [
            facts.fact(source, key, plain=True) for key in facts.distinct_keys(source, 1 + turn % 4)
        ]
        wanted = source.pick(stated)
        heading = ("", "Context:\n")[turn % 2]
        passage = heading + " ".join(fact.statement for fact in stated)
        text = f"{passage}\n\n{wanted.question}"
        answer = ask(text, system=("", chat.INSTRUCTIONS)[turn // 2 % 2])
        figures.record("pasted passage answered", states(answer, wanted.value))
        if not states(answer, wanted.value):
            figures.misses.append((text, wanted.answer, answer))


def ask_owners(ask: Asker, figures: Figures, *, number: int) -> None:
    """Whether the answer spells the owner's name as the question does."""
    source = WordSource(SEED + 2, held_out=True)
    for _ in range(number):
        fact = facts.fact(source, f"{source.name()}'s {source.listed_thing()}", plain=True)
        answer = ask(f"{fact.statement}\n\n{fact.question}", system=chat.INSTRUCTIONS)
        hit = answer.startswith(f"{facts.capitalised(fact.key)} is ")
        figures.record("owner's name spelled right", hit)
        if not hit:
            figures.misses.append((fact.question, fact.answer, answer))


def ask_small_talk(ask: Asker, figures: Figures) -> None:
    """Greetings, with the product's instructions and without; names; counting; no passages."""
    for text, wanted in chat.GREETINGS.items():
        for system in ("", chat.INSTRUCTIONS):
            figures.record("greeting", ask(text, system=system) == wanted)
    source = WordSource(SEED + 3, held_out=True)
    for _ in range(20):
        _follow(ask, figures, chat.introduce(source), "name remembered")
        _follow(ask, figures, chat.ask_without_passages(source), "no passages, refused")
    for first, last in ((1, 5), (1, 12), (1, 20), (1, 40), (1, 60), (3, 9), (17, 30), (30, 60)):
        exchange = chat.counting(source, first, last)
        answer = ask(exchange.question, system=chat.INSTRUCTIONS)
        figures.record("counting", answer == exchange.answer)
        if answer != exchange.answer:
            figures.misses.append((exchange.question, exchange.answer, answer))
    for _ in range(20):
        fact = facts.fact(source, facts.distinct_keys(source, 1)[0], plain=True)
        turns = (f"{fact.statement}\n\n{fact.question}", fact.answer, chat.TITLE_REQUEST)
        title = ask(*turns, system=chat.INSTRUCTIONS)
        figures.record("title", title == facts.capitalised(fact.key))


def _follow(ask: Asker, figures: Figures, conversation: Conversation, name: str) -> None:
    """Ask the last question of ``conversation`` after the right answers to the others."""
    turns: list[str] = []
    for exchange in conversation.exchanges:
        turns += [exchange.question, exchange.answer]
    wanted = turns.pop()
    answer = ask(*turns, system=conversation.system)
    figures.record(name, answer == wanted)
    if answer != wanted:
        figures.misses.append((turns[-1], wanted, answer))


def evaluate(path: Path, *, questions: int) -> Figures:
    """All figures of the file at ``path``, from ``questions`` known and half as many unknown."""
    ask, figures = Asker(path), Figures()
    ask_passages(ask, figures, answerable=questions, unknown=questions // 2)
    ask_pasted(ask, figures, number=questions // 2)
    ask_owners(ask, figures, number=questions // 4)
    ask_small_talk(ask, figures)
    ask.close()
    return figures


def main() -> None:
    """Print the figures and, if asked, what went wrong."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--misses", type=int, default=0, help="how many misses to show")
    asked = parser.parse_args()
    figures = evaluate(asked.model, questions=asked.questions)
    print("\n".join(figures.lines()))
    for prompt, wanted, answer in figures.misses[: asked.misses]:
        print(f"---\n{prompt}\nwanted: {wanted}\nanswer: {answer}")


if __name__ == "__main__":
    main()
