"""Writes a model of random weights in the shape of Qwen2 0.5B: as slow as a real one, and mute.

`python -m benchmarks.random_weights FILE` (Q4_0), with `--quantisation Q4_K_M` the other mixture.
Widths are rounded to what K-quants divide (1,024 instead of 896 columns). Blocks are written as
llama.cpp's ggml-common.h has them, with random quants and constant scales: nothing is quantised,
so it takes seconds. The vocabulary begins with the 256 bytes, so a prompt has as many tokens as
letters; its other words no tokenizer makes, but the model says them. One that `repeats` says the
last token of its prompt for ever: its layers compute as long as others and add nothing.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import gguf
import numpy as np
import numpy.typing as npt
from gguf import GGMLQuantizationType as Kind

from tests.engine.tiny_model import CHATML, CONTROL, byte_letters

Quantisation = Literal["Q4_0", "Q4_K_M"]
Bytes = npt.NDArray[np.uint8]

SPREAD: Final = 0.02  # standard deviation of a weight, as models are initialised
_FILE_TYPES: Final[dict[Quantisation, int]] = {"Q4_0": 2, "Q4_K_M": 15}
_NIBBLE_SPREAD: Final = 4.6  # of 0 to 15, all as likely
_ADDED: Final = ("attn_output.weight", "ffn_down.weight")
"""What a layer adds to its input has gone through one of these."""
_SIX_BITS_SPREAD: Final = 18.5  # of 0 to 63


@dataclass(frozen=True, slots=True)
class Shape:
    """Dimensions; `heads` of 64 columns share `kv_heads` keys and values."""

    width: int = 1024
    layers: int = 24
    heads: int = 16
    kv_heads: int = 2
    feed_forward: int = 4864
    vocabulary: int = 151_936


def write_random_model(
    path: Path,
    quantisation: Quantisation,
    *,
    shape: Shape | None = None,
    seed: int = 0,
    repeats: bool = False,
) -> Path:
    """Write the model to `path`, which appears when it is whole."""
    shape = shape or Shape()
    part = path.with_suffix(".part")
    writer = gguf.GGUFWriter(part, "qwen2")
    _describe(writer, shape, quantisation)
    for name, kind, data in _tensors(shape, quantisation, np.random.default_rng(seed)):
        if repeats and name.endswith(_ADDED):
            data[...] = 0  # with their scales
        writer.add_tensor(name, data, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    part.rename(path)
    return path


def _describe(writer: gguf.GGUFWriter, shape: Shape, quantisation: Quantisation) -> None:
    words = [f" w{number}" for number in range(shape.vocabulary - 257 - len(CONTROL))]
    tokens = [*byte_letters(), "th", *(word.replace(" ", "Ġ") for word in words), *CONTROL]
    writer.add_name(f"random {quantisation}")
    writer.add_context_length(32_768)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.feed_forward)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_rope_freq_base(1e6)
    writer.add_file_type(_FILE_TYPES[quantisation])
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(tokens)
    writer.add_token_types([1] * (shape.vocabulary - len(CONTROL)) + [3] * len(CONTROL))
    writer.add_token_merges(["t h"])
    writer.add_eos_token_id(shape.vocabulary - 1)
    writer.add_add_bos_token(False)
    writer.add_chat_template(CHATML)


def _tensors(
    shape: Shape, quantisation: Quantisation, dice: np.random.Generator
) -> Iterator[tuple[str, Kind | None, npt.NDArray[Any]]]:
    few = Kind.Q4_0 if quantisation == "Q4_0" else Kind.Q4_K
    many = Kind.Q4_0 if quantisation == "Q4_0" else Kind.Q6_K
    width, keys = shape.width, shape.kv_heads * (shape.width // shape.heads)
    # llama.cpp gives the words 6 bits in both mixtures.
    embedding = _weights(dice, Kind.Q6_K, shape.vocabulary, width)
    embedding[-len(CONTROL) :] = 0  # a greedy answer never ends: its best word scores above 0
    yield "token_embd.weight", Kind.Q6_K, embedding
    yield "output_norm.weight", None, np.ones(width, np.float32)
    for layer in range(shape.layers):
        # llama.cpp's Q4_K_M: more bits for half of what it found to matter (use_more_bits).
        eighth = shape.layers // 8
        more = layer < eighth or layer >= 7 * eighth or (layer - eighth) % 3 == 2
        dear = many if more else few
        prefix = f"blk.{layer}."
        for name in ("attn_norm", "ffn_norm"):
            yield f"{prefix}{name}.weight", None, np.ones(width, np.float32)
        for name, rows in (("q", width), ("k", keys), ("v", keys)):
            yield f"{prefix}attn_{name}.bias", None, np.zeros(rows, np.float32)
        for name, kind, rows, columns in (
            ("attn_q", few, width, width),
            ("attn_k", few, keys, width),
            ("attn_v", dear, keys, width),
            ("attn_output", few, width, width),
            ("ffn_gate", few, shape.feed_forward, width),
            ("ffn_up", few, shape.feed_forward, width),
            ("ffn_down", dear, width, shape.feed_forward),
        ):
            yield f"{prefix}{name}.weight", kind, _weights(dice, kind, rows, columns)


def _weights(dice: np.random.Generator, kind: Kind, rows: int, columns: int) -> Bytes:
    """Blocks of `kind`, one row of bytes for each row of weights."""
    block, size = gguf.GGML_QUANT_SIZES[kind]
    blocks = dice.integers(0, 256, (rows, columns // block, size), np.uint8)
    if kind is Kind.Q4_0:  # d, 32 nibbles
        blocks[..., :2] = _half(SPREAD / _NIBBLE_SPREAD)
    elif kind is Kind.Q4_K:  # d, dmin, 8 scales and 8 minima of 6 bits (all 8), 256 nibbles
        scale = SPREAD / (8 * _NIBBLE_SPREAD)
        blocks[..., :2], blocks[..., 2:4] = _half(scale), _half(7.5 * scale)
        blocks[..., 4:12], blocks[..., 12:16] = 8, 0x88
    elif kind is Kind.Q6_K:  # 256 quants of 6 bits, 16 scales (all 4), d
        blocks[..., 192:208] = 4
        blocks[..., 208:] = _half(SPREAD / (4 * _SIX_BITS_SPREAD))
    return blocks.reshape(rows, -1)


def _half(value: float) -> Bytes:
    return np.array([value], np.float16).view(np.uint8)


def main() -> None:
    """Write the file that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--quantisation", choices=_FILE_TYPES, default="Q4_0")
    arguments = parser.parse_args()
    print(write_random_model(arguments.file, arguments.quantisation))


if __name__ == "__main__":
    main()
