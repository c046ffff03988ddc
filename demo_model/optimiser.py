"""Muon for the matrices of the blocks, AdamW for everything else.

Muon (Jordan et al., 2024, https://kellerjordan.github.io/posts/muon/) replaces the momentum of a
matrix by the nearest orthogonal one, found by five Newton-Schulz steps with its coefficients.
"""

import torch
from torch import Tensor, nn

from demo_model.network import Network

MUON_RATE, ADAM_RATE, WEIGHT_DECAY = 0.006, 1.5e-3, 0.05


class Optimiser:
    """Steps all weights of ``network`` once its gradients are there, and clears them."""

    def __init__(self, network: Network) -> None:
        self._matrices = [p for p in network.blk.parameters() if p.dim() == 2]
        known = set(map(id, self._matrices))
        self._rest = [p for p in network.parameters() if id(p) not in known]
        self._adam = torch.optim.AdamW(
            self._rest, lr=ADAM_RATE, betas=(0.9, 0.98), weight_decay=0.0
        )
        self._momentum = [torch.zeros_like(p) for p in self._matrices]
        self._network = network
        self._steps = 0

    def step(self, rate: float) -> None:
        """One step at ``rate`` (0 to 1) of the full learning rates."""
        nn.utils.clip_grad_norm_(self._rest, 1.0)
        for group in self._adam.param_groups:
            group["lr"] = ADAM_RATE * rate
        self._adam.step()
        self._muon(MUON_RATE * rate, min(0.95, 0.85 + 0.1 * self._steps / 200))
        self._network.zero_grad(set_to_none=True)
        self._steps += 1

    @torch.no_grad()
    def _muon(self, rate: float, inertia: float) -> None:
        by_shape: dict[torch.Size, list[tuple[Tensor, Tensor, bool]]] = {}
        for matrix, momentum in zip(self._matrices, self._momentum, strict=True):
            if matrix.grad is None:
                continue
            momentum.lerp_(matrix.grad, 1 - inertia)
            update = matrix.grad.lerp(momentum, inertia)
            tall = update.shape[0] > update.shape[1]
            wide = update.T if tall else update
            by_shape.setdefault(wide.shape, []).append((matrix, wide, tall))
        for entries in by_shape.values():
            updates = orthogonalised(torch.stack([wide for _, wide, _ in entries]))
            for (matrix, _, tall), update in zip(entries, updates, strict=True):
                matrix.mul_(1 - rate * WEIGHT_DECAY)
                stretch = max(1.0, matrix.shape[0] / matrix.shape[1]) ** 0.5
                matrix.add_(update.T if tall else update, alpha=-rate * stretch)


def orthogonalised(x: Tensor) -> Tensor:
    """The matrices of ``x`` (number, rows, columns) with singular values near one."""
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(5):
        square = x @ x.mT
        x = 3.4445 * x + (-4.7750 * square + 2.0315 * square @ square) @ x
    return x
