"""Makes small files that are real GGUF, of any size."""

import struct


def gguf_bytes(*, elements: int = 250_000, name: str = "Tiny", seed: int = 1) -> bytes:
    """Return a GGUF file of one f32 tensor with `elements` values."""
    metadata = [
        _text("general.architecture", "llama"),
        _text("general.name", name),
        _number("llama.context_length", 2048),
        _number("llama.block_count", 1),
        _number("llama.embedding_length", 64),
        _number("llama.attention.head_count", 4),
    ]
    tensor = _string("token_embd.weight") + struct.pack("<IQIQ", 1, elements, 0, 0)
    head = b"GGUF" + struct.pack("<IQQ", 3, 1, len(metadata)) + b"".join(metadata) + tensor
    padding = bytes(-len(head) % 32)
    return head + padding + struct.pack("<I", seed) * elements


def _string(text: str) -> bytes:
    return struct.pack("<Q", len(text)) + text.encode()


def _text(key: str, value: str) -> bytes:
    return _string(key) + struct.pack("<I", 8) + _string(value)


def _number(key: str, value: int) -> bytes:
    return _string(key) + struct.pack("<II", 4, value)
