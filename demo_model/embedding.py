"""Writes the demonstration embedding model: texts to vectors, by words and their meanings.

    .venv/bin/python -m demo_model.embedding demo_model/allerac-demo-embedding-q8_0.gguf

Nothing is trained. A word's vector is a fixed random direction, mixed with those of its meanings
(`concepts.txt`) and of its letters; a text's is the mean of its words, those that say little
counting little. It has the shape of a BERT whose one layer changes nothing, so that it takes the
same way through llama.cpp as the models of the catalogue. The same sources give the same bytes, on
any processor: lengths and means are summed exactly, in whatever order.
"""

import functools
import hashlib
import math
import sys
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

import gguf
import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float32]

FOLDER: Final = Path(__file__).parent
MEANING, SLACK = 160, 32
"""What a text's vector is made of, and what only keeps every token's length the same (below)."""
WIDTH: Final = MEANING + SLACK
HEADS, FEED_FORWARD, CONTEXT_LENGTH = 4, 32, 1024
OWN_SHARE, CONCEPT_SHARE, LETTER_SHARE = 0.55, 0.75, 0.35
SPECIAL: Final = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
STOP_WEIGHT, PIECE_WEIGHT, WORD_WEIGHT, SIGN_WEIGHT = 0.06, 0.55, 1.0, 0.03
WORD_FILES: Final = (
    "words.txt",
    *(f"vocabulary/{n}.txt" for n in ("names", "objects", "things", "verbs")),
)
WORD_START: Final = "\u2581"  # how llama.cpp spells the beginning of a word


def main(arguments: list[str]) -> None:
    """Write the model to the path that is given."""
    write(Path(arguments[0]))


def write(path: Path) -> None:
    """Write the model to `path`."""
    tokens, vectors = _vocabulary()
    writer = gguf.GGUFWriter(path, "bert")
    writer.add_name("Allerac demonstration embedding")
    writer.add_context_length(CONTEXT_LENGTH)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(1)
    writer.add_feed_forward_length(FEED_FORWARD)
    writer.add_head_count(HEADS)
    writer.add_layer_norm_eps(1e-12)
    writer.add_causal_attention(False)
    writer.add_pooling_type(gguf.PoolingType.MEAN)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("bert")
    writer.add_token_list(tokens)
    writer.add_token_types([3] * len(SPECIAL) + [1] * (len(tokens) - len(SPECIAL)))
    writer.add_token_type_count(1)
    writer.add_pad_token_id(0)
    writer.add_unk_token_id(1)
    writer.add_sep_token_id(3)
    writer.add_mask_token_id(4)
    writer.add_bos_token_id(2)
    writer.add_eos_token_id(3)
    _add_tensors(writer, vectors)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _add_tensors(writer: gguf.GGUFWriter, vectors: Vector) -> None:
    """A layer whose attention and feed-forward add nothing: tokens pass as they are."""
    none, one = np.zeros(WIDTH, np.float32), np.ones(WIDTH, np.float32)
    square = np.zeros((WIDTH, WIDTH), np.float16)
    kind = gguf.GGMLQuantizationType.Q8_0
    packed = gguf.quants.quantize(vectors, kind)
    writer.add_tensor("token_embd.weight", packed, raw_dtype=kind)
    writer.add_tensor("position_embd.weight", np.zeros((CONTEXT_LENGTH, WIDTH), np.float16))
    writer.add_tensor("token_types.weight", np.zeros((1, WIDTH), np.float32))
    for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
        writer.add_tensor(f"blk.0.{name}.weight", square)
        writer.add_tensor(f"blk.0.{name}.bias", none)
    writer.add_tensor("blk.0.ffn_up.weight", np.zeros((FEED_FORWARD, WIDTH), np.float16))
    writer.add_tensor("blk.0.ffn_up.bias", np.zeros(FEED_FORWARD, np.float32))
    writer.add_tensor("blk.0.ffn_down.weight", np.zeros((WIDTH, FEED_FORWARD), np.float16))
    writer.add_tensor("blk.0.ffn_down.bias", none)
    kept = np.concatenate([np.ones(MEANING, np.float32), np.zeros(SLACK, np.float32)])
    norms = {"token_embd_norm": one, "blk.0.attn_output_norm": one, "blk.0.layer_output_norm": kept}
    for name, scale in norms.items():
        writer.add_tensor(f"{name}.weight", scale)
        writer.add_tensor(f"{name}.bias", none)


def _vocabulary() -> tuple[list[str], Vector]:
    """Tokens and their vectors: specials, words, then pieces that begin or go on with a word."""
    meanings, little = _meanings(), frozenset(_read("stop_words.txt"))
    words = sorted({*_words(), *meanings, *little} - {""})
    pieces = sorted(_pieces(words))
    rows = [np.zeros(WIDTH, np.float32)] * len(SPECIAL)
    rows += [_row(_word_vector(word, meanings), _word_weight(word, little)) for word in words]
    tokens = [*SPECIAL, *(WORD_START + word for word in words)]
    known = set(words)
    for piece in pieces:
        row = _row(_unit([_direction(f"piece {piece}")]), _piece_weight(piece))
        if piece not in known:
            tokens.append(WORD_START + piece)
            rows.append(row)
        tokens.append(piece)
        rows.append(row)
    return tokens, np.stack(rows)


def _meanings() -> dict[str, list[int]]:
    """The numbers of the lines of `concepts.txt` in which a word stands."""
    meanings: dict[str, list[int]] = {}
    lines = (FOLDER / "concepts.txt").read_text("utf-8").splitlines()
    for number, line in enumerate(line for line in lines if not line.startswith("#")):
        words = [_plain(word) for word in line.split()]
        for word in dict.fromkeys([*words, *map(_without_umlauts, words)]):
            meanings.setdefault(word, []).append(number)
    return meanings


def _without_umlauts(word: str) -> str:
    """`ae` as it is left of an a with two dots, whose dots do not count."""
    return word.replace("ae", "a").replace("oe", "o").replace("ue", "u")


def _words() -> Iterable[str]:
    for name in WORD_FILES:
        yield from (word for word in _read(name) if word.isalpha())


def _read(name: str) -> Iterator[str]:
    for line in (FOLDER / name).read_text("utf-8").splitlines():
        if not line.startswith("#"):
            yield from map(_plain, line.split())


def _pieces(words: Iterable[str]) -> set[str]:
    """Single signs, pairs of letters and the ends and threes that words have most."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    signs = {chr(code) for code in range(33, 127)} | set("ßæøœłđαβγδεζηθικλμνξοπρστυφχψω€£§°")
    counts: dict[str, int] = {}
    for word in words:
        for size in (3, 4):
            for start in range(1, len(word) - size + 1):
                counts[word[start : start + size]] = counts.get(word[start : start + size], 0) + 1
    frequent = sorted(counts, key=lambda piece: (-counts[piece], piece))[:2000]
    pairs = {first + second for first in letters for second in letters}
    digits = {f"{number:02}" for number in range(100)}
    return {_plain(sign) for sign in signs if len(_plain(sign)) == 1} | pairs | digits | {*frequent}


def _plain(word: str) -> str:
    """As llama.cpp's tokenizer sees it: small letters without accents."""
    split = unicodedata.normalize("NFD", word.lower())
    return "".join(letter for letter in split if not unicodedata.combining(letter))


def _word_vector(word: str, meanings: Mapping[str, list[int]]) -> Vector:
    threes = [word[start : start + 3] for start in range(max(1, len(word) - 2))]
    letters = _unit([_direction(f"letters {three}") for three in threes])
    parts = [OWN_SHARE * _direction(f"word {word}"), LETTER_SHARE * letters]
    concepts = [_direction(f"concept {number}") for number in meanings.get(word, ())]
    if concepts:
        parts.append(CONCEPT_SHARE * _unit(concepts))
    return _unit(parts)


def _word_weight(word: str, little: frozenset[str]) -> float:
    return STOP_WEIGHT if word in little or len(word) == 1 else WORD_WEIGHT


def _piece_weight(piece: str) -> float:
    return PIECE_WEIGHT if piece.isalnum() else SIGN_WEIGHT


def _row(vector: Vector, weight: float) -> Vector:
    """A token whose meaning has length `weight`: what is missing to 1 stands in the slack.

    A layer's norm gives all tokens the same length; this way it changes nothing, and the last one,
    which scales the slack by 0, leaves weighted meanings to the mean.
    """
    slack = np.ones(SLACK, np.float32)
    slack[1::2] = -1
    slack *= np.sqrt((1 - weight**2) / SLACK)
    return np.concatenate([weight * vector, slack]).astype(np.float32) * np.float32(WIDTH**0.5)


@functools.cache
def _direction(name: str) -> Vector:
    """A fixed random direction of mean 0: as a layer's norm wants it."""
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
    vector = np.random.default_rng(seed).normal(size=MEANING).astype(np.float32)
    vector -= np.float32(math.fsum(vector.tolist()) / MEANING)
    return vector / _length(vector)


def _unit(vectors: list[Vector]) -> Vector:
    total: Vector = np.sum(vectors, axis=0, dtype=np.float32)
    return total / _length(total)


def _length(vector: Vector) -> np.float32:
    """As `numpy.linalg.norm`, whose last bit depends on the processor."""
    return np.float32(math.sqrt(math.fsum(np.square(vector, dtype=np.float64).tolist())))


if __name__ == "__main__":
    main(sys.argv[1:])
