"""Writes a checkpoint as a GGUF file (q8_0) and the measured facts of the file beside it.

``python -m demo_model.export /tmp/demo.pt demo_model/allerac-demo-q8_0.gguf``. Format: the GGUF
specification in ggml's ``docs/gguf.md``; names of tensors and keys are llama.cpp's for ``llama``.
"""

import argparse
import hashlib
from pathlib import Path

import gguf
import torch
from torch import Tensor

from demo_model import network
from demo_model.tokenizer import END, END_OF_TEXT, SPECIAL

TEMPLATE = (
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n'"
    " + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
Q8_0 = gguf.GGMLQuantizationType.Q8_0


def export(checkpoint: Path, out: Path) -> None:
    """Write ``out`` whole or not at all: others may have the old file mapped into memory."""
    state = torch.load(checkpoint, weights_only=True)
    part = out.with_suffix(".part")
    writer = gguf.GGUFWriter(part, "llama")
    _describe(writer, state["tokens"], state["merges"])
    for name, tensor in state["weights"].items():
        _add(writer, name, tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    part.replace(out)


def _describe(writer: gguf.GGUFWriter, tokens: list[str], merges: list[list[str]]) -> None:
    writer.add_name("Allerac demonstration model")
    writer.add_license("Apache-2.0")
    writer.add_context_length(network.CONTEXT)
    writer.add_embedding_length(network.WIDTH)
    writer.add_block_count(network.LAYERS)
    writer.add_feed_forward_length(network.INNER)
    writer.add_head_count(network.HEADS)
    writer.add_head_count_kv(network.HEADS)
    writer.add_rope_dimension_count(network.HEAD)
    writer.add_rope_freq_base(network.ROPE_BASE)
    writer.add_layer_norm_rms_eps(network.EPSILON)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(tokens)
    kinds = (gguf.TokenType.NORMAL, gguf.TokenType.CONTROL)
    writer.add_token_types([kinds[token in SPECIAL] for token in tokens])
    writer.add_token_merges([" ".join(merge) for merge in merges])
    writer.add_bos_token_id(tokens.index(END_OF_TEXT))
    writer.add_eos_token_id(tokens.index(END))
    writer.add_pad_token_id(tokens.index(END_OF_TEXT))
    writer.add_add_bos_token(False)
    writer.add_chat_template(TEMPLATE)


def _add(writer: gguf.GGUFWriter, name: str, tensor: Tensor) -> None:
    """Matrices as q8_0, vectors as 32-bit floats."""
    numbers = tensor.float().numpy()
    if tensor.dim() == 1:
        writer.add_tensor(name, numbers)
    else:
        writer.add_tensor(name, gguf.quants.quantize(numbers, Q8_0), raw_dtype=Q8_0)


def main() -> None:
    """Export and print what ``model.yaml`` says about the file."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("out", type=Path)
    asked = parser.parse_args()
    export(asked.checkpoint, asked.out)
    content = asked.out.read_bytes()
    plan = torch.load(asked.checkpoint, weights_only=True)["plan"]
    print(f"size_bytes: {len(content)}\nsha256: {hashlib.sha256(content).hexdigest()}")
    print("\n".join(f"{key}: {value}" for key, value in plan.items()))


if __name__ == "__main__":
    main()
