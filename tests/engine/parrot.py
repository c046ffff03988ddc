"""Writes a model that says one text and nothing else, token by token, through real weights.

Each token's embedding is its own direction, and the output prefers the direction of the one that
follows it: a table of pairs in the form of a llama. So an answer is known beforehand, and still
comes out of llama.cpp with a family's template and its control tokens.
"""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import gguf
import numpy as np

from tests.engine.tiny_model import byte_letters

_CONTROL = 3  # LLAMA_TOKEN_TYPE_CONTROL
_NORMAL = 1
_HEAD_WIDTH = 64


def write_parrot(
    path: Path, said: Sequence[str], *, template: str, control: Sequence[str], after: str
) -> Path:
    """Write a model that answers `said` to any prompt that ends in the byte or token `after`.

    A piece of `said` that is in `control` is a control token; no piece comes twice. The answer
    ends with the last of `control`.
    """
    letters = byte_letters()
    tokens = [*letters, "th", *control]
    script = []
    for piece in said:
        if piece not in control:
            tokens.append("".join(letters[byte] for byte in piece.encode()))
        script.append(tokens.index(piece) if piece in control else len(tokens) - 1)
    first = tokens.index(after if after in control else letters[ord(after)])
    chain = [first, *script, tokens.index(control[-1])]
    width = -(-len(tokens) // _HEAD_WIDTH) * _HEAD_WIDTH
    embedding = np.zeros((len(tokens), width), np.float16)
    embedding[np.arange(len(tokens)), np.arange(len(tokens))] = 1
    output = np.zeros((len(tokens), width), np.float16)
    output[tokens.index(control[-1])] = 0.1  # whatever is not in the chain ends the answer
    for token, follower in pairwise(chain):
        output[follower, token] = 1
    _write(path, tokens, len(control), template, embedding, output, tokens.index(control[-1]))
    return path


def _write(
    path: Path,
    tokens: Sequence[str],
    controls: int,
    template: str,
    embedding: np.ndarray[tuple[int, int], np.dtype[np.float16]],
    output: np.ndarray[tuple[int, int], np.dtype[np.float16]],
    end: int,
) -> None:
    width = embedding.shape[1]
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("parrot")
    writer.add_context_length(4096)
    writer.add_embedding_length(width)
    writer.add_block_count(1)
    writer.add_feed_forward_length(_HEAD_WIDTH)
    writer.add_head_count(width // _HEAD_WIDTH)
    writer.add_head_count_kv(width // _HEAD_WIDTH)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_file_type(1)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(tokens)
    types = [_NORMAL] * len(tokens)
    types[257 : 257 + controls] = [_CONTROL] * controls
    writer.add_token_types(types)
    writer.add_token_merges(["t h"])
    writer.add_eos_token_id(end)
    writer.add_add_bos_token(False)
    writer.add_chat_template(template)
    writer.add_tensor("token_embd.weight", embedding)
    writer.add_tensor("output.weight", output)
    writer.add_tensor("output_norm.weight", np.ones(width, np.float32))
    for norm in ("attn_norm", "ffn_norm"):
        writer.add_tensor(f"blk.0.{norm}.weight", np.ones(width, np.float32))
    for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
        writer.add_tensor(f"blk.0.{name}.weight", np.zeros((width, width), np.float16))
    for name, shape in (
        ("ffn_gate", (_HEAD_WIDTH, width)),
        ("ffn_up", (_HEAD_WIDTH, width)),
        ("ffn_down", (width, _HEAD_WIDTH)),
    ):
        writer.add_tensor(f"blk.0.{name}.weight", np.zeros(shape, np.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
