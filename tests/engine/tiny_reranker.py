"""Writes a real reranker of a few kilobytes: it scores how much of question and text is one word.

It has the shape of a BERT with one layer whose attention looks at all tokens alike, so that the
first one, which the head reads, becomes the mean of what was read. The head's direction is that of
the word; a text in which it stands more often scores higher.
"""

from pathlib import Path

import gguf
import numpy as np
import numpy.typing as npt

WIDTH, CONTEXT_LENGTH = 64, 256
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
WORD_START = "\u2581"

Matrix = npt.NDArray[np.float32]


def write_tiny_reranker(path: Path, *, liked: str = "boiler") -> Path:
    """Write it to `path` and return that."""
    words = sorted({liked, "the", "is", "in", "who", "repairs", "old", "roof", "garden", "green"})
    tokens = [*SPECIAL, *(WORD_START + word for word in words)]
    dice = np.random.default_rng(5)
    vectors = dice.normal(size=(len(tokens), WIDTH)).astype(np.float32)
    vectors -= vectors.mean(axis=1, keepdims=True)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True) / np.float32(WIDTH**0.5)
    writer = gguf.GGUFWriter(path, "bert")
    writer.add_name("tiny reranker")
    writer.add_context_length(CONTEXT_LENGTH)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(1)
    writer.add_feed_forward_length(WIDTH)
    writer.add_head_count(1)
    writer.add_layer_norm_eps(1e-12)
    writer.add_causal_attention(False)
    writer.add_pooling_type(gguf.PoolingType.RANK)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("bert")
    writer.add_token_list(tokens)
    writer.add_token_types([3] * len(SPECIAL) + [1] * (len(tokens) - len(SPECIAL)))
    writer.add_token_type_count(1)
    writer.add_pad_token_id(0)
    writer.add_unk_token_id(1)
    writer.add_bos_token_id(2)
    writer.add_eos_token_id(3)
    writer.add_sep_token_id(3)
    writer.add_mask_token_id(4)
    _add_tensors(writer, vectors, vectors[tokens.index(WORD_START + liked)])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _add_tensors(writer: gguf.GGUFWriter, vectors: Matrix, liked: Matrix) -> None:
    zeros, ones = np.zeros(WIDTH, np.float32), np.ones(WIDTH, np.float32)
    nothing, same = np.zeros((WIDTH, WIDTH), np.float32), np.eye(WIDTH, dtype=np.float32)
    direction = nothing.copy()
    direction[0] = liked / np.linalg.norm(liked) / np.float32(WIDTH**0.5)
    first = zeros.copy()
    first[0] = 1
    layer = "blk.0."
    tensors = {
        "token_embd.weight": vectors,
        "position_embd.weight": np.zeros((CONTEXT_LENGTH, WIDTH), np.float32),
        "token_types.weight": np.zeros((1, WIDTH), np.float32),
        f"{layer}attn_q.weight": nothing,
        f"{layer}attn_k.weight": nothing,
        f"{layer}attn_v.weight": same,
        f"{layer}attn_output.weight": same,
        f"{layer}ffn_up.weight": nothing,
        f"{layer}ffn_down.weight": nothing,
        "cls.weight": direction,
        "cls.output.weight": first.reshape(1, WIDTH),
        "cls.output.bias": np.zeros(1, np.float32),
    }
    for name in ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_up", "ffn_down"):
        tensors[f"{layer}{name}.bias"] = zeros
    tensors["cls.bias"] = zeros
    for name in ("token_embd_norm", f"{layer}attn_output_norm", f"{layer}layer_output_norm"):
        tensors[f"{name}.weight"] = ones
        tensors[f"{name}.bias"] = zeros
    for name, tensor in tensors.items():
        writer.add_tensor(name, tensor)
