"""What a morphology transformer computes a step: an actor in MetaMorph's shape, to be timed, not trained.

Shape after Gupta et al. 2022, "MetaMorph: Learning Universal Controllers with Transformers" (ICLR), and the
configuration published with it: one token a limb, 52 numbers of state and morphology each, width 128, five layers,
two heads, feed-forward width 1024, two controls a limb.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

INPUTS, WIDTH, LAYERS, HEADS, FEEDFORWARD, OUTPUTS = 52, 128, 5, 2, 1024, 2


class MorphologyTransformer(nn.Module):
    """(B, limbs, inputs) to (B, limbs, outputs): mean actions, all limbs in one sequence."""

    def __init__(self, limbs: int) -> None:
        """Build it for robots of up to ``limbs`` limbs, with random weights."""
        super().__init__()
        self.embed = nn.Linear(INPUTS, WIDTH)
        self.position = nn.Parameter(torch.zeros(limbs, WIDTH))
        self.layers = nn.ModuleList(_Layer() for _ in range(LAYERS))
        self.decode = nn.Linear(WIDTH, OUTPUTS)

    def forward(self, limbs: Tensor) -> Tensor:
        """Act."""
        tokens = self.embed(limbs) * WIDTH**0.5 + self.position
        for layer in self.layers:
            tokens = layer(tokens)
        return torch.tanh(self.decode(tokens))


class _Layer(nn.Module):
    """Post-norm attention and feed-forward block, as in Vaswani et al. 2017."""

    def __init__(self) -> None:
        super().__init__()
        self.query_key_value, self.out = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.feedforward = nn.Sequential(nn.Linear(WIDTH, FEEDFORWARD), nn.ReLU(), nn.Linear(FEEDFORWARD, WIDTH))
        self.attention_norm, self.feedforward_norm = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)

    def forward(self, tokens: Tensor) -> Tensor:
        """Mix tokens (B, N, width)."""
        b, n, _ = tokens.shape
        parts = self.query_key_value(tokens).view(b, n, 3, HEADS, -1).permute(2, 0, 3, 1, 4)
        mixed = nn.functional.scaled_dot_product_attention(*parts).transpose(1, 2).reshape(b, n, WIDTH)
        tokens = self.attention_norm(tokens + self.out(mixed))
        return self.feedforward_norm(tokens + self.feedforward(tokens))
