"""A byte-level BPE tokenizer whose words keep their pieces after a space.

Merges are learnt inside runs of letters. After them come merges of a space with the first piece of
a word, so " Karla" is split like "Karla", with the space on the first piece: what a question calls
by name can be copied into the beginning of an answer. llama.cpp's pre-tokenizer ``qwen2`` (single
digits) cuts text the same way as ``PATTERN``, taken from its ``llama-vocab.cpp``.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
END_OF_TEXT, START, END = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
SPECIAL = (END_OF_TEXT, START, END)
SPACE = "Ġ"
LETTER_MERGES = 330
SPACE_MERGES = 300


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What a GGUF file needs: tokens in order of id and merges in order of rank."""

    tokens: tuple[str, ...]
    merges: tuple[tuple[str, str], ...]


class Encoder:
    """Turns text with chat markers into token ids."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.ids = {token: number for number, token in enumerate(vocabulary.tokens)}
        plain = {token: n for token, n in self.ids.items() if token not in SPECIAL}
        self._bpe = Tokenizer(models.BPE(vocab=plain, merges=list(vocabulary.merges)))
        self._bpe.pre_tokenizer = _splitter(PATTERN)
        self._markers = re.compile("(" + "|".join(map(re.escape, SPECIAL)) + ")")

    def __call__(self, text: str) -> list[int]:
        """The ids of ``text``; markers such as ``<|im_start|>`` are one token each."""
        ids: list[int] = []
        for part in self._markers.split(text):
            if part in SPECIAL:
                ids.append(self.ids[part])
            elif part:
                ids.extend(self._bpe.encode(part).ids)
        return ids


def _splitter(pattern: str) -> pre_tokenizers.PreTokenizer:
    return pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(pattern), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )


def learn(texts: list[str]) -> Vocabulary:
    """A vocabulary of the 256 bytes, pieces of words, the same after a space, and the markers."""
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = _splitter(r"\p{L}+|[^\p{L}]")
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=256 + LETTER_MERGES,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator(texts, trainer)
    learnt = json.loads(bpe.to_str())["model"]
    tokens = sorted(learnt["vocab"], key=learnt["vocab"].__getitem__)
    merges = [tuple(merge) for merge in learnt["merges"]]
    merges += [("'", "s"), *((SPACE, piece) for piece in _first_pieces(bpe, texts))]
    tokens += ["".join(pair) for pair in merges if "".join(pair) not in learnt["vocab"]]
    return Vocabulary((*tokens, *SPECIAL), tuple(merges))


def _first_pieces(bpe: Tokenizer, texts: Iterable[str]) -> list[str]:
    """The pieces that most often begin a word after a space."""
    words = Counter(word for text in texts for word in re.findall(r" ([A-Za-z]+)", text))
    pieces: Counter[str] = Counter()
    for word, number in words.items():
        pieces[bpe.encode(word).tokens[0]] += number
    return [piece for piece, _ in pieces.most_common(SPACE_MERGES)]
