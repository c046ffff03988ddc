"""Each rule of choosing tokens has the effect that its name promises, on a real model."""

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from allerac.engine.grammar import InGrammar, Spelling
from allerac.engine.llama_samplers import Candidates, Grammar, SamplerChain
from allerac.engine.protocol import Delta, Sampling, TokenLikelihood
from tests.engine.loop import ENDS, Loop, running_loop
from tests.engine.parrot import write_parrot
from tests.engine.tiny_model import CHATML

TOKENS = 40
BEST = Sampling(temperature=0.0, logit_bias=ENDS, max_tokens=TOKENS)
WILD = Sampling(
    temperature=3.0, top_k=0, top_p=1.0, min_p=0.0, seed=5, logit_bias=ENDS, max_tokens=TOKENS
)
TOLD = 20


@pytest.fixture(scope="module")
def one(tiny_path: Path) -> Iterator[Loop]:
    with running_loop(tiny_path) as started:
        yield started


def _likelihoods(one: Loop, sampling: Sampling) -> list[TokenLikelihood]:
    said = one.ask("Once", replace(sampling, top_logprobs=TOLD))
    said.end()
    told = [item for event in said.events if isinstance(event, Delta) for item in event.likelihoods]
    assert len(told) == TOKENS
    return told


def _distinct(one: Loop, sampling: Sampling) -> int:
    return len({item.chosen.piece for item in _likelihoods(one, sampling)})


@pytest.mark.parametrize(
    "rule", [{"temperature": 0.0}, {"top_k": 1}, {"top_p": 0.0}, {"min_p": 1.0}]
)
def test_narrowest_rule_leaves_the_likeliest_token(one: Loop, rule: dict[str, float]) -> None:
    best = one.answer("Once", BEST)[0]
    assert one.answer("Once", WILD)[0] != best
    assert one.answer("Once", replace(WILD, **rule))[0] == best  # type: ignore[arg-type]


def test_low_temperature_keeps_to_the_likely(one: Loop) -> None:
    def surprise(temperature: float) -> float:
        told = _likelihoods(one, replace(WILD, temperature=temperature))
        return -sum(item.chosen.logprob for item in told) / TOKENS

    assert surprise(0.0) < surprise(0.3) < surprise(1.0) < surprise(5.0)


def test_top_k_chooses_among_so_many(one: Loop) -> None:
    def ranks(sampling: Sampling) -> set[int]:
        return {_better(item) for item in _likelihoods(one, sampling)}

    assert ranks(replace(WILD, top_k=3)) == {0, 1, 2}
    assert max(ranks(WILD)) >= 3


def _better(item: TokenLikelihood) -> int:
    return sum(other.logprob > item.chosen.logprob for other in item.best)


def test_top_p_chooses_among_those_who_share_so_much(one: Loop) -> None:
    def before(sampling: Sampling) -> float:
        """The largest share of those that were likelier than what was chosen."""
        return max(
            sum(math.exp(o.logprob) for o in item.best if o.logprob > item.chosen.logprob)
            for item in _likelihoods(one, sampling)
        )

    assert 0 < before(replace(WILD, top_p=0.1)) < 0.1
    assert before(WILD) > 0.1


def test_min_p_chooses_among_those_that_are_so_likely_beside_the_best(one: Loop) -> None:
    def least(sampling: Sampling) -> float:
        told = _likelihoods(one, sampling)
        return min(math.exp(item.chosen.logprob - item.best[0].logprob) for item in told)

    assert 0.5 <= least(replace(WILD, min_p=0.5)) < 1
    assert least(WILD) < 0.5


@pytest.mark.parametrize(
    "rule", [{"repeat_penalty": 10.0}, {"frequency_penalty": 2.0}, {"presence_penalty": 2.0}]
)
def test_penalty_brings_other_tokens(one: Loop, rule: dict[str, float]) -> None:
    assert _distinct(one, replace(BEST, **rule)) > _distinct(one, BEST)  # type: ignore[arg-type]


def test_bias_makes_a_token_certain_or_impossible(one: Loop) -> None:
    letter = ord("z")
    certain = replace(WILD, logit_bias=(*ENDS, (letter, 100.0)))
    assert one.answer("Once", certain)[0] == "z" * TOKENS
    said = {item.chosen.piece for item in _likelihoods(one, BEST)}
    banned = min(piece for piece in said if len(piece) == 1)
    without = replace(BEST, logit_bias=(*ENDS, (banned[0], -100.0)))
    assert banned not in {item.chosen.piece for item in _likelihoods(one, without)}


def test_seed_decides_and_without_one_chance_does(one: Loop) -> None:
    assert one.answer("Once", WILD)[0] == one.answer("Once", WILD)[0]
    assert one.answer("Once", replace(WILD, seed=6))[0] != one.answer("Once", WILD)[0]
    free = replace(WILD, seed=None)
    assert one.answer("Once", free)[0] != one.answer("Once", free)[0]


class CountedGrammar(Grammar):
    """Counts how often it looked at more than one token."""

    looks = 0

    def apply(self, candidates: Candidates) -> None:
        self.looks += candidates._array.size > 1
        super().apply(candidates)


PIECES = ['{"city"', ': "', "Rome", '"}']


@pytest.mark.parametrize(
    ("grammar", "said", "looks"),
    [
        (r'root ::= "{\"city\": \"" [A-Za-z]+ "\"}"', '{"city": "Rome"}', 0),
        (r'root ::= "no"', "no", 2),
    ],
)
def test_grammar_looks_at_all_tokens_only_where_the_chosen_one_is_refused(
    tmp_path: Path, grammar: str, said: str, looks: int
) -> None:
    path = write_parrot(
        tmp_path / "parrot.gguf", PIECES, template=CHATML, control=["<|end|>"], after="\n"
    )
    with running_loop(path) as parrot:
        size = parrot.model.vocabulary_size
        chain = SamplerChain(size)
        chain.choose_best()
        counted = CountedGrammar(parrot.model, grammar)
        sampler = InGrammar(chain, counted, Spelling(parrot.model), size)
        answer = parrot.ask("City?\n", Sampling(), sampler=sampler)
        assert answer.end().reason == "stop"
        assert answer.text == said
        assert counted.looks == looks
