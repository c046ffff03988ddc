"""Writes small GGUF files with random weights and a byte vocabulary: they load, and say nonsense.

The vocabulary is the 256 bytes and three control tokens, so any text is tokenised byte by byte
and any answer may be cut inside a character. Control tokens score 0, below the best of the rest,
so that a greedy answer goes on until its context is full.
"""

from dataclasses import dataclass
from pathlib import Path

import gguf
import numpy as np

CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n'"
    " + message['content'] + '<|im_end|>' + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
CONTROL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")


@dataclass(frozen=True, slots=True)
class Shape:
    """Dimensions of the network; `feed_forward` is twice the width."""

    width: int = 32
    heads: int = 2
    layers: int = 2


TINY = Shape()


def byte_letters() -> list[str]:
    """The printable letter of each byte in byte-level BPE (GPT-2's bytes_to_unicode)."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    spare = iter(range(256, 512))
    return [chr(byte) if byte in printable else chr(next(spare)) for byte in range(256)]


def write_tiny_model(
    path: Path,
    *,
    template: str | None = CHATML,
    context_length: int = 512,
    shape: Shape = TINY,
    pre_tokenizer: str = "qwen2",
    seed: int = 0,
) -> Path:
    """Write a llama of random weights (30,000 unless told otherwise) to `path` and return it."""
    tokens = [*byte_letters(), "th", *CONTROL]
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("tiny")
    writer.add_context_length(context_length)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(2 * shape.width)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.heads)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_file_type(1)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre_tokenizer)
    writer.add_token_list(tokens)
    writer.add_token_types([1] * 257 + [3] * len(CONTROL))
    writer.add_token_merges(["t h"])  # llama.cpp wants at least one
    writer.add_eos_token_id(tokens.index("<|im_end|>"))
    writer.add_add_bos_token(False)
    if template is not None:
        writer.add_chat_template(template)
    _add_tensors(writer, len(tokens), shape, np.random.default_rng(seed))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _add_tensors(
    writer: gguf.GGUFWriter, vocabulary: int, shape: Shape, dice: np.random.Generator
) -> None:
    def weights(*size: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float16]]:
        return dice.normal(0.0, 0.2, size).astype(np.float16)

    width, inner = shape.width, 2 * shape.width
    ones = np.ones(width, np.float32)
    writer.add_tensor("token_embd.weight", weights(vocabulary, width))
    output = weights(vocabulary, width)
    output[-len(CONTROL) :] = 0
    writer.add_tensor("output.weight", output)
    writer.add_tensor("output_norm.weight", ones)
    for layer in range(shape.layers):
        prefix = f"blk.{layer}."
        for name in ("attn_norm", "ffn_norm"):
            writer.add_tensor(f"{prefix}{name}.weight", ones)
        for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
            writer.add_tensor(f"{prefix}{name}.weight", weights(width, width))
        for name in ("ffn_gate", "ffn_up"):
            writer.add_tensor(f"{prefix}{name}.weight", weights(inner, width))
        writer.add_tensor(f"{prefix}ffn_down.weight", weights(width, inner))
