"""Trains the demonstration model from scratch on generated conversations.

``python -m demo_model.train --minutes 28 --seed 1 --out /tmp/demo`` writes ``/tmp/demo.pt`` every
two minutes and at the end. Run it with ``GOMP_SPINCOUNT=30000``: with the default, two threads of
libgomp hold each other up as soon as another process wants a core.
"""

import argparse
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from demo_model import chat
from demo_model.chat import Conversation
from demo_model.lexicon import WordSource
from demo_model.network import Network
from demo_model.optimiser import Optimiser
from demo_model.tokenizer import END, START, Encoder, Vocabulary, learn

BATCH_TOKENS = 4096
POOL = 300
"""Documents that are sorted by length before they are cut into batches."""
PLAIN_UNTIL, FOUR_UNTIL, SIX_UNTIL = 0.2e6, 0.5e6, 1.2e6
"""Tokens seen until which documents have plain facts, at most four and at most six of them."""
MISSING = 0.4
"""The share of questions that the passages do not answer."""
REPORT_SECONDS, SAVE_SECONDS = 120, 60
WARM_UP_STEPS, RESUMED_STEPS = 60, 45

Sample = tuple[list[int], list[float]]


@dataclass(frozen=True, slots=True)
class Plan:
    """What the command line asks for."""

    minutes: float
    seed: int
    threads: int
    resume: str = ""
    rate: float = 1.0


def pieces(conversation: Conversation) -> Iterator[tuple[str, str, float, bool]]:
    """Prompt text, answer, weight and whether it is a refusal, for each exchange in turn."""
    prompt = f"{START}system\n{conversation.system}{END}\n" if conversation.system else ""
    for exchange in conversation.exchanges:
        prompt += f"{START}user\n{exchange.question}{END}\n{START}assistant\n"
        yield prompt, exchange.answer, exchange.weight, exchange.kind == "refusal"
        prompt = "\n"


def sample_of(conversation: Conversation, encode: Encoder) -> Sample:
    """Token ids and the weight of each in the loss; what the model does not say weighs nothing."""
    ids: list[int] = []
    weights: list[float] = []
    for prompt, answer, weight, refused in pieces(conversation):
        asked, said = encode(prompt), encode(answer + END)
        ids += asked + said
        first = 3.0 if refused else 1.5
        weights += [0.0] * len(asked) + [first] + [weight] * (len(said) - 1)
    return ids, weights


def repetition(source: WordSource, vocabulary: int) -> Sample:
    """Random tokens said twice: what an induction circuit is for."""
    ids = [source.randrange(vocabulary - 3) for _ in range(source.randrange(9, 40))]
    start = source.randrange(len(ids) // 2 + 1)
    weights = [0.0] * len(ids) + [1.0] * (len(ids) - start)
    return ids + ids[start:], weights


def document(source: WordSource, seen: float) -> Conversation:
    """A conversation as hard as ``seen`` tokens allow."""
    if source.chance(0.2):
        return chat.small_talk(source)
    if seen > FOUR_UNTIL and source.chance(0.05):
        count = source.randint(8, 20)
        return chat.ask_passages(source, count, questions=source.randint(2, 8), missing=MISSING)
    most = 2 if seen < PLAIN_UNTIL else 4 if seen < FOUR_UNTIL else 6 if seen < SIX_UNTIL else 8
    count = source.randint(1 if source.chance(0.3) else 2, most)
    return chat.ask_passages(source, count, missing=MISSING, plain=seen < PLAIN_UNTIL)


class Batches:
    """An endless stream of (ids, weights), each of about ``BATCH_TOKENS`` tokens."""

    def __init__(self, source: WordSource, encode: Encoder) -> None:
        self.seen = 0
        self._source = source
        self._encode = encode

    def _sample(self) -> Sample:
        source = self._source
        if source.chance(0.5 if self.seen < PLAIN_UNTIL else 0.02):
            return repetition(source, len(self._encode.ids))
        return sample_of(document(source, self.seen), self._encode)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        while True:
            samples = sorted(
                (self._sample() for _ in range(POOL)), key=lambda sample: len(sample[0])
            )
            groups: list[list[Sample]] = [[]]
            for sample in samples:
                if len(sample[0]) * (len(groups[-1]) + 1) > BATCH_TOKENS and groups[-1]:
                    groups.append([])
                groups[-1].append(sample)
            self._source.shuffle(groups)
            for group in groups:
                ids, weights = padded(group)
                self.seen += ids.numel()
                yield ids, weights


def padded(samples: list[Sample]) -> tuple[Tensor, Tensor]:
    """Ids and weights as (samples, longest), filled up with zeros."""
    ids = nn.utils.rnn.pad_sequence([torch.tensor(sample[0]) for sample in samples], True)
    weights = nn.utils.rnn.pad_sequence([torch.tensor(sample[1]) for sample in samples], True)
    return ids, weights


class Check:
    """Teacher-forced accuracy on conversations from the held-out half of the vocabulary."""

    def __init__(self, encode: Encoder) -> None:
        source = WordSource(999, held_out=True)
        asked = [
            chat.ask_passages(source, 1 + n % 6, questions=1, missing=float(n % 5 == 0))
            for n in range(60)
        ]
        talk = [chat.small_talk(source) for _ in range(20)]
        self._cases = [
            (sample_of(conversation, encode), conversation.exchanges[0].kind)
            for conversation in asked
        ] + [(sample_of(conversation, encode), "talk") for conversation in talk]

    @torch.no_grad()
    def __call__(self, network: Network) -> str:
        """The share of whole answers that are right, by kind."""
        right: dict[str, list[bool]] = {}
        for start in range(0, len(self._cases), 20):
            cases = self._cases[start : start + 20]
            ids, weights = padded([sample for sample, _ in cases])
            guess = network(ids[:, :-1]).argmax(-1)
            fine = ((guess == ids[:, 1:]) | (weights[:, 1:] == 0)).all(1)
            for (_, kind), hit in zip(cases, fine.tolist(), strict=True):
                right.setdefault(kind, []).append(hit)
        return " ".join(f"{kind} {sum(hits) / len(hits):.2f}" for kind, hits in right.items())


def vocabulary_texts() -> list[str]:
    """Generated conversations that the tokenizer learns from."""
    source = WordSource(7)
    return [
        "".join(prompt + answer for prompt, answer, _, _ in pieces(document(source, SIX_UNTIL)))
        for _ in range(5000)
    ]


def step_rate(done: float, step: int, decay: float = 0.6) -> float:
    """Warm-up, then full, then linearly down to 2 % over the last ``decay`` of the time."""
    return min(1.0, (step + 1) / WARM_UP_STEPS) * min(1.0, max(0.02, (1 - done) / decay))


def train(plan: Plan, out: Path) -> None:
    """Train for ``plan.minutes`` of wall time and leave the checkpoint at ``out``.pt."""
    torch.set_num_threads(plan.threads)
    torch.set_flush_denormal(True)
    torch.manual_seed(plan.seed)
    before = torch.load(plan.resume, weights_only=True) if plan.resume else None
    encode = Encoder(_vocabulary(before) if before else learn(vocabulary_texts()))
    network = Network(encode.vocabulary.tokens)
    optimiser = Optimiser(network)
    batches = Batches(WordSource(plan.seed), encode)
    step = 0
    if before:
        network.load_state_dict(before["weights"])
        batches.seen = before["plan"]["tokens_seen"]
        step = RESUMED_STEPS
    check = Check(encode)
    parameters = sum(parameter.numel() for parameter in network.parameters())
    print(f"{parameters} parameters, {len(encode.ids)} tokens; start: {check(network)}", flush=True)
    start = time.monotonic()
    report, save, smooth = start + REPORT_SECONDS, start + SAVE_SECONDS, 0.0
    for ids, weights in batches:
        now = time.monotonic()
        done = (now - start) / (60 * plan.minutes)
        if done >= 1:
            break
        loss = loss_of(network, ids, weights)
        loss.backward()
        optimiser.step(plan.rate * step_rate(done, step))
        smooth = loss.item() if not smooth else 0.95 * smooth + 0.05 * loss.item()
        step += 1
        if now > report:
            report = now + REPORT_SECONDS
            print(
                f"{now - start:5.0f} s  step {step}  {batches.seen / 1e6:.2f} M tokens  "
                f"loss {smooth:.3f}  {check(network)}",
                flush=True,
            )
        if now > save:
            save = now + SAVE_SECONDS
            write(network, encode, plan, step, batches.seen, out)
    print(f"end: {check(network)}", flush=True)
    write(network, encode, plan, step, batches.seen, out)


def _vocabulary(checkpoint: dict[str, Any]) -> Vocabulary:
    merges = tuple((left, right) for left, right in checkpoint["merges"])
    return Vocabulary(tuple(checkpoint["tokens"]), merges)


def loss_of(network: Network, ids: Tensor, weights: Tensor) -> Tensor:
    """Weighted cross-entropy of the tokens that the model has to say."""
    wanted = weights[:, 1:]
    chosen = wanted > 0
    logits = network(ids[:, :-1], chosen)
    losses = functional.cross_entropy(logits, ids[:, 1:][chosen], reduction="none")
    return (losses * wanted[chosen]).sum() / wanted[chosen].sum()


def write(network: Network, encode: Encoder, plan: Plan, step: int, seen: int, out: Path) -> None:
    """Save the checkpoint whole or not at all."""
    part = out.with_suffix(".part")
    state = {
        "weights": network.state_dict(),
        "tokens": list(encode.vocabulary.tokens),
        "merges": [list(merge) for merge in encode.vocabulary.merges],
        "plan": asdict(plan) | {"steps": step, "tokens_seen": seen},
    }
    torch.save(state, part)
    part.replace(out.with_suffix(".pt"))


def main() -> None:
    """Read the command line and train."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--minutes", type=float, default=28)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--resume", default="", help="a checkpoint to go on from, .pt")
    parser.add_argument("--rate", type=float, default=1.0, help="of the full learning rates")
    parser.add_argument("--out", type=Path, required=True, help="checkpoint, without .pt")
    asked = parser.parse_args()
    train(Plan(asked.minutes, asked.seed, asked.threads, asked.resume, asked.rate), asked.out)


if __name__ == "__main__":
    main()
