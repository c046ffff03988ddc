"""A small llama whose first layers start as circuits that copy and look up.

With ordinary random weights a network of this size learns to copy from its prompt only after
tens of millions of tokens. Here some heads start with a task, each writing into its own slot of the
residual stream:

- layer 0 looks one to four tokens back, and at the average of five to nine tokens back;
- layer 1 looks for the place whose last tokens equal the present ones and copies what followed
  there (induction heads: Olsson et al., "In-context Learning and Induction Heads", 2022); two more
  heads fetch the first token of the sentence and the number of the passage, "2" after "[";
- layer 2 finds the place that speaks of the same as the present one and fetches how the sentence
  there began and which passage it is in, so that "Who services the boiler?" can be answered by
  "Miller Heating services the boiler. [2]".

It is still the plain llama architecture, and every weight is trained afterwards.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from demo_model.tokenizer import SPACE

WIDTH, LAYERS, HEAD, INNER, CONTEXT = 288, 4, 32, 384, 2048
HEADS = WIDTH // HEAD
ROPE_BASE = 1e10
"""Only 4 of 16 frequency pairs turn within 300 tokens; the others match content at any distance."""
EPSILON = 1e-6
REACH = 300
CODE, SLOT = 64, 32
"""The residual stream: 64 dimensions of token code, then seven slots."""
BEFORE = tuple(CODE + SLOT * n for n in range(4))
FARTHER, FIRST, PASSAGE = (CODE + SLOT * n for n in (4, 5, 6))
"""Where the slots begin: the four tokens before, those farther back, sentence start, passage."""
BOUNDARIES, BRACKETS = (".", "Ċ", "]"), ("[", "Ġ[")
"""Tokens before the first of a sentence and before a passage's number; code dimensions 0 and 1
tell them from all others."""
FLAG = 4.0
SHARPNESS, BLUR = 25.0, 9.0
"""Logits per frequency pair of a head that looks at one token back there, or at some around it."""
ASIDE = 4.0
"""Logits per frequency pair against a match with oneself."""
MATCH_GAIN = 2.0
COPY_GAIN = 1.5
FETCH_GAIN = 0.6


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
            projection = _projection()
            rotation = _orthogonal(CODE)
            wiring = _Wiring(turns, projection)
            for head, slot in enumerate(BEFORE):
                wiring.look_back(self.blk[0], head, head + 1, range(4), SHARPNESS, slot)
            wiring.look_back(self.blk[0], 4, 7, range(1, 4), BLUR, FARTHER)
            wiring.match_and_copy(self.blk[1], rotation)
            wiring.fetch_latest(self.blk[1], 6, 0, {2: 10.0, 3: 15.0}, FIRST)
            wiring.fetch_latest(self.blk[1], 7, 1, {3: 40.0}, PASSAGE)
            for head, slot in enumerate((FIRST, PASSAGE)):
                wiring.fetch_from_match(self.blk[2], head, slot)
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
        codes = self.token_embd.weight[:, :CODE]
        _relate_codes(codes, tokens)
        for flag, flagged in enumerate((BOUNDARIES, BRACKETS)):
            codes[:, flag] = torch.tensor([FLAG * (token in flagged) for token in tokens])

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


def _projection() -> Tensor:
    """From a token's code to a slot; the two flags keep a dimension of their own."""
    projection = torch.zeros(SLOT, CODE)
    projection[:2, :2] = torch.eye(2)
    projection[2:, 2:] = _orthogonal(CODE - 2)[: SLOT - 2]
    return projection


class _Wiring:
    """Sets the first weights of single heads; scores are divided by the root of ``HEAD``."""

    def __init__(self, turns: Tensor, projection: Tensor) -> None:
        self._turns = turns
        self._projection = projection
        self._turning = int((turns * REACH > 1).sum()) * 2
        self._copy = torch.eye(SLOT)

    def _clear(self, block: Block, head: int) -> slice:
        rows = slice(head * HEAD, (head + 1) * HEAD)
        block.attn_q.weight[rows] *= 0.05
        block.attn_k.weight[rows] *= 0.05
        block.attn_v.weight[rows] = 0
        block.attn_output.weight[:, rows] = 0
        return rows

    def _attend(self, block: Block, head: int, back: int, logits: dict[int, float]) -> None:
        """Biases that RoPE turns into a preference for ``back`` tokens back, by pair."""
        for pair, strength in logits.items():
            amplitude = math.sqrt(abs(strength) * math.sqrt(HEAD))
            sign = math.copysign(1.0, strength)
            angle = back * float(self._turns[pair])
            at = head * HEAD + 2 * pair
            block.attn_q.bias[at] = sign * amplitude
            block.attn_k.bias[at] = amplitude * math.cos(angle)
            block.attn_k.bias[at + 1] = amplitude * math.sin(angle)

    def look_back(
        self, block: Block, head: int, back: int, pairs: range, logits: float, slot: int
    ) -> None:
        """Write the code of the tokens around ``back`` tokens back into ``slot``."""
        rows = self._clear(block, head)
        self._attend(block, head, back, dict.fromkeys(pairs, logits))
        block.attn_v.weight[rows, :CODE] = self._projection
        gain = 0.5 if slot != FARTHER else 1.0
        block.attn_output.weight[slot : slot + SLOT, rows] = self._copy * gain

    def fetch_latest(
        self, block: Block, head: int, flag: int, recency: dict[int, float], slot: int
    ) -> None:
        """Write the code of the latest token that follows a flagged one into ``slot``."""
        rows = self._clear(block, head)
        self._attend(block, head, 0, recency)
        at = head * HEAD + self._turning
        block.attn_q.bias[at] = 60.0
        block.attn_k.weight[at, BEFORE[0] + flag] = 1.0
        block.attn_v.weight[rows, :CODE] = self._projection
        block.attn_output.weight[slot : slot + SLOT, rows] = self._copy * FETCH_GAIN

    def _match(
        self, block: Block, head: int, importance: Sequence[float], farther: float, after: int = 1
    ) -> slice:
        """Attend to where the tokens before equal this one and those before this one.

        With ``after`` 0 to where they equal those before this one.
        """
        rows = self._clear(block, head)
        still = slice(head * HEAD + self._turning, (head + 1) * HEAD)
        steady = HEAD - self._turning
        for back, weight in enumerate(importance):
            matrix = _orthogonal(SLOT)[:steady] * weight * MATCH_GAIN
            slot = BEFORE[back]
            if back < after:
                block.attn_q.weight[still, :CODE] += matrix @ self._projection
            else:
                equal = BEFORE[back - after]
                block.attn_q.weight[still, equal : equal + SLOT] += matrix
            block.attn_k.weight[still, slot : slot + SLOT] += matrix
        matrix = _orthogonal(SLOT)[:steady] * farther * MATCH_GAIN
        block.attn_q.weight[still, FARTHER : FARTHER + SLOT] += matrix
        block.attn_k.weight[still, FARTHER : FARTHER + SLOT] += matrix
        return rows

    def match_and_copy(self, block: Block, rotation: Tensor) -> None:
        """Three pairs of heads that copy what stands where the last tokens stood before."""
        importance = (1.2, 1.0, 0.9, 0.8)
        for pair, (depth, farther, share) in enumerate(
            ((2, 0.0, 0.3), (4, 0.4, 0.6), (4, 0.7, 0.6))
        ):
            for head in (2 * pair, 2 * pair + 1):
                rows = self._match(block, head, importance[:depth], farther)
                half = slice(SLOT * (head % 2), SLOT * (head % 2) + SLOT)
                block.attn_v.weight[rows, half] = self._copy
                block.attn_output.weight[:CODE, rows] = rotation[:, half] * COPY_GAIN * share

    def fetch_from_match(self, block: Block, head: int, slot: int) -> None:
        """Add what the matching place has in ``slot``, rotated to be told from one's own."""
        rows = self._match(block, head, (2.0, 1.8, 1.6, 1.2), 0.0, after=0)
        self._attend(block, head, 0, dict.fromkeys(range(2), -ASIDE))
        block.attn_v.weight[rows, slot : slot + SLOT] = self._copy
        block.attn_output.weight[slot : slot + SLOT, rows] = _orthogonal(SLOT) * FETCH_GAIN
