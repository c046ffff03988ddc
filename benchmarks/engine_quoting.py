"""What guessing ahead gains an answer that quotes: `python -m benchmarks.engine_quoting`.

The same model with and without guesses, in turns. One model of random weights repeats what it was
told last, so that every guess is right; another never repeats, so that none is made. How often
guesses are right is asked of the demonstration model: its answers to questions about passages that
it was not trained on are gone through as the engine would have, guess by guess.
"""

import argparse
import asyncio
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Final

from allerac.engine.llama import Log, Model
from allerac.engine.process import spawn_in
from allerac.engine.quoting import GUESSED, Quoting
from allerac.engine.supervisor import EngineSupervisor
from benchmarks.engine_cases import SHORT_PROMPT, hear, letters
from benchmarks.engine_ours import Ours, model_file
from benchmarks.engine_pairs import CELLS, SEQUENCES, where
from benchmarks.llama_server import ServerSettings
from benchmarks.random_weights import write_random_model
from demo_model import chat
from demo_model.evaluate import SEED, Asker
from demo_model.lexicon import WordSource

DEMO: Final = Path(__file__).resolve().parents[1] / "demo_model" / "allerac-demo-q8_0.gguf"
QUESTIONS: Final = 200


def rows_cost(rows: int) -> float:
    """About what it is on two cores: a whole group of rows takes as long as two."""
    return 1 + (rows - 1) / GUESSED


async def compare(model: Path, threads: int, pairs: int, tokens: int) -> list[float]:
    """Return the ratios of the speed with guesses to the speed without."""
    settings = ServerSettings(model, CELLS, SEQUENCES, threads)
    ratios = []
    with tempfile.TemporaryDirectory(prefix="allerac-bench-") as folder:
        engines = [EngineSupervisor(launch=spawn_in(Path(folder) / name)) for name in ("a", "b")]
        for engine, guesses in zip(engines, (True, False), strict=True):
            await engine.start()
            await engine.load(replace(model_file(settings), guesses=guesses))
            await engine.calibrate()
        guessing, plain = map(Ours, engines)
        for pair in range(pairs):
            sides = [guessing, plain] if pair % 2 == 0 else [plain, guessing]
            speeds = {}
            for side in sides:
                heard = await hear(side, letters(SHORT_PROMPT), tokens)
                speeds[side] = heard.speed
            ratios.append(speeds[guessing] / speeds[plain])
        for engine in engines:
            await engine.stop()
    return ratios


def gone_through() -> Iterator[tuple[int, int, float]]:
    """Yield of each answer of the demonstration model its tokens, steps, and the steps' cost."""
    source, ask = WordSource(SEED, held_out=True), Asker(DEMO)
    model = Model(DEMO, Log())
    for number in range(QUESTIONS):
        asked = chat.ask_passages(source, 1 + number % 6, questions=1, missing=0.0)
        question = asked.exchanges[0].question
        said = ask(question, system=asked.system)
        texts = (f"{asked.system}\n{question}\n", said)
        prompt, answer = (
            model.tokenize(text, add_special=False, parse_special=False) for text in texts
        )
        if answer:
            yield len(answer), *steps_of(prompt, answer)
    ask.close()
    model.free()


def steps_of(prompt: list[int], answer: list[int]) -> tuple[int, float]:
    """How many steps `answer` takes, and of how many of one row that is the time.

    The first token comes with the end of the prompt.
    """
    quoting, done, steps, cost = Quoting(), 1, 1, 1.0
    while done < len(answer):
        left = len(answer) - done - 1
        guess = quoting.guess([*prompt, *answer[:done]], min(GUESSED, left), rows_cost)
        right = next((n for n, token in enumerate(guess) if answer[done + n] != token), len(guess))
        if guess:
            quoting.checked(len(guess), right)
        done, steps, cost = done + right + 1, steps + 1, cost + rows_cost(len(guess) + 1)
    return steps, cost


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    print(where())
    with tempfile.TemporaryDirectory(prefix="allerac-bench-") as folder:
        for name, repeats in (("every guess right", True), ("nothing to guess", False)):
            model = write_random_model(Path(folder) / "model.gguf", "Q4_0", repeats=repeats)
            ratios = asyncio.run(
                compare(model, arguments.threads, arguments.pairs, arguments.tokens)
            )
            span = f"{min(ratios):.2f} to {max(ratios):.2f}"
            print(f"speed with guesses / without, {name:20}{median(ratios):6.2f}  {span}")
    tokens, steps, cost = map(sum, zip(*gone_through(), strict=True))
    print(
        f"demonstration model, {QUESTIONS} questions: {tokens / steps:.2f} tokens a step", end=", "
    )
    print(
        f"{tokens / cost:.2f} times as quick where a whole guess costs {rows_cost(1 + GUESSED):.1f}"
    )


if __name__ == "__main__":
    main()
