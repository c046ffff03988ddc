"""A small llama whose first two layers start as a circuit that copies.

With ordinary random weights a network of this size learns to copy from its prompt only after
tens of millions of tokens. Here layer 0 starts with heads that look one to four tokens back, and
layer 1 with heads that look for the place whose last tokens equal the present ones and copy what
followed there (induction heads: Olsson et al., "In-context Learning and Induction Heads", 2022).
It is still the plain llama architecture, and every weight is trained afterwards.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from demo_model.tokenizer import SPACE

WIDTH, LAYERS, HEAD, INNER, CONTEXT = 192, 4, 32, 384, 2048
HEADS = WIDTH // HEAD
ROPE_BASE = 1e10
"""Only 4 of 16 frequency pairs turn within 300 tokens; the others match content at any distance."""
EPSILON = 1e-6
CODE, SLOT = 64, 32
"""The residual stream: 64 dimensions of token code, then four slots of the tokens before."""
LOOK_BACK_AMPLITUDE = 12.0
MATCH_GAIN = 2.0
COPY_GAIN = 1.5
REACH = 300


def rotate(x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """Rotary position embedding over interleaved pairs, as llama.cpp has it for llama."""
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack((even * cosine - odd * sine, even * sine + odd * cosine), -1).flatten(-2)


class Block(nn.Module):
    """Attention with biases on query and key, then SwiGLU, both after RMSNorm."""

    def __init__(self) -> None:
        super().__init__()
        self.attn_norm = nn.RMSNorm(WIDTH, eps=EPSILON)
        self.ffn_norm = nn.RMSNorm(WIDTH, eps=EPSILON)
        self.attn_q = nn.Linear(WIDTH, WIDTH)
        self.attn_k = nn.Linear(WIDTH, WIDTH)
        self.attn_v = nn.Linear(WIDTH, WIDTH, bias=False)
        self.attn_output = nn.Linear(WIDTH, WIDTH, bias=False)
        self.ffn_gate = nn.Linear(WIDTH, INNER, bias=False)
        self.ffn_up = nn.Linear(WIDTH, INNER, bias=False)
        self.ffn_down = nn.Linear(INNER, WIDTH, bias=False)

    def forward(self, x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
        """``x`` is (batch, tokens, WIDTH)."""
        batch, length, _ = x.shape
        normed = self.attn_norm(x)

        def heads(layer: nn.Linear) -> Tensor:
            return layer(normed).view(batch, length, HEADS, HEAD).transpose(1, 2)

        query = rotate(heads(self.attn_q), cosine, sine)
        key = rotate(heads(self.attn_k), cosine, sine)
        seen = functional.scaled_dot_product_attention(
            query, key, heads(self.attn_v), is_causal=True
        )
        x = x + self.attn_output(seen.transpose(1, 2).reshape(batch, length, WIDTH))
        normed = self.ffn_norm(x)
        return x + self.ffn_down(functional.silu(self.ffn_gate(normed)) * self.ffn_up(normed))


class Network(nn.Module):
    """The whole model; attributes bear the names that tensors have in a GGUF file."""

    def __init__(self, tokens: Sequence[str]) -> None:
        super().__init__()
        self.token_embd = nn.Embedding(len(tokens), WIDTH)
        self.blk = nn.ModuleList(Block() for _ in range(LAYERS))
        self.output_norm = nn.RMSNorm(WIDTH, eps=EPSILON)
        self.output = nn.Linear(WIDTH, len(tokens), bias=False)
        turns = 1 / ROPE_BASE ** (torch.arange(0, HEAD, 2) / HEAD)
        angles = torch.arange(CONTEXT)[:, None] * turns
        self.cosine, self.sine = angles.cos(), angles.sin()
        with torch.no_grad():
            self._start_at_random(tokens)
            projection = _orthogonal(CODE)[:SLOT]
            _look_back(self.blk[0], projection, turns)
            rotation = _orthogonal(CODE)
            _match_and_copy(self.blk[1], projection, rotation, turns)
            self.output.weight[:, :CODE] += self.token_embd.weight[:, :CODE] / 8 @ rotation.T

    def _start_at_random(self, tokens: Sequence[str]) -> None:
        for parameter in self.blk.parameters():
            if parameter.dim() == 2:
                nn.init.normal_(parameter, 0, 0.5 / math.sqrt(parameter.shape[1]))
        for name, parameter in self.blk.named_parameters():
            if name.endswith("bias"):
                nn.init.zeros_(parameter)
            if name.endswith(("attn_output.weight", "ffn_down.weight")):
                parameter.mul_(0.2)
        nn.init.normal_(self.output.weight, 0, 0.02)
        nn.init.normal_(self.token_embd.weight, 0, 1)
        self.token_embd.weight[:, CODE:] *= 0.05
        _relate_codes(self.token_embd.weight[:, :CODE], tokens)

    def forward(self, ids: Tensor, chosen: Tensor | None = None) -> Tensor:
        """Logits of ``ids`` (batch, tokens), at the positions of the mask ``chosen`` or at all."""
        length = ids.shape[1]
        x = self.token_embd(ids)
        for block in self.blk:
            x = block(x, self.cosine[:length], self.sine[:length])
        return self.output(self.output_norm(x if chosen is None else x[chosen]))


def _orthogonal(size: int) -> Tensor:
    return torch.linalg.qr(torch.randn(size, size))[0]


def _relate_codes(codes: Tensor, tokens: Sequence[str]) -> None:
    """Let " the", "The" and "the" begin with codes of cosine 0.87, so that they match."""
    ids = {token: number for number, token in enumerate(tokens)}
    for number, token in enumerate(tokens):
        bare = token.removeprefix(SPACE)
        plain = bare.lower() if len(bare) > 1 and bare.lower() in ids else bare
        if plain != token and plain in ids:
            codes[number] = 0.75**0.5 * codes[ids[plain]] + 0.25**0.5 * codes[number]


def _look_back(block: Block, projection: Tensor, turns: Tensor) -> None:
    """Heads 0 to 3: biases that RoPE turns into "exactly n tokens back"; write slot n."""
    for head in range(4):
        rows = slice(head * HEAD, (head + 1) * HEAD)
        block.attn_q.weight[rows] *= 0.05
        block.attn_k.weight[rows] *= 0.05
        for pair in range(4):
            angle = (head + 1) * float(turns[pair])
            at = head * HEAD + 2 * pair
            block.attn_q.bias[at] = LOOK_BACK_AMPLITUDE
            block.attn_k.bias[at] = LOOK_BACK_AMPLITUDE * math.cos(angle)
            block.attn_k.bias[at + 1] = LOOK_BACK_AMPLITUDE * math.sin(angle)
        block.attn_v.weight[rows] = 0
        block.attn_v.weight[rows, :CODE] = projection
        block.attn_output.weight[:, rows] = 0
        slot = CODE + SLOT * head
        block.attn_output.weight[slot : slot + SLOT, rows] = torch.eye(SLOT) * 0.6


def _match_and_copy(block: Block, projection: Tensor, rotation: Tensor, turns: Tensor) -> None:
    """Three pairs of heads that find where the last two or four tokens stood before."""
    turning = int((turns * REACH > 1).sum()) * 2
    steady = HEAD - turning
    importance = (1.2, 1.0, 0.9, 0.8)
    for pair in range(3):
        depth = 4 if pair else 2
        match = [
            _orthogonal(SLOT)[:steady] * importance[back] * MATCH_GAIN for back in range(depth)
        ]
        for head in (2 * pair, 2 * pair + 1):
            rows = slice(head * HEAD, (head + 1) * HEAD)
            still = slice(head * HEAD + turning, (head + 1) * HEAD)
            half = slice(SLOT * (head % 2), SLOT * (head % 2) + SLOT)
            block.attn_q.weight[rows] *= 0.05
            block.attn_k.weight[rows] *= 0.05
            for back, matrix in enumerate(match):
                slot = CODE + SLOT * back
                here = slice(0, CODE) if back == 0 else slice(slot - SLOT, slot)
                block.attn_q.weight[still, here] += matrix @ projection if back == 0 else matrix
                block.attn_k.weight[still, slot : slot + SLOT] += matrix
            block.attn_v.weight[rows] = 0
            block.attn_v.weight[rows, half] = torch.eye(SLOT)
            block.attn_output.weight[:, rows] = 0
            gain = COPY_GAIN * (0.6 if pair else 0.3)
            block.attn_output.weight[:CODE, rows] = rotation[:, half] * gain
