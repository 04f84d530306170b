"""Graph encoder: tokens of a robot to one embedding each, equivariant to their order."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from morphnet.networks.tokens import NUM_RELATIONS, TokenBatch


class GraphEncoder(nn.Module):
    """A small graph transformer.

    Attention sees the graph through a learned bias for every relation of two tokens and head; there are no
    positions, so permuting tokens permutes embeddings and does nothing else.
    """

    def __init__(self, features: dict[str, int], width: int, depth: int, heads: int) -> None:
        """Build the encoder.

        Args:
            features: kind of token -> number of physical features, in token order.
            width: size of an embedding.
            depth: number of attention layers.
            heads: attention heads a layer.
        """
        super().__init__()
        self.embed = nn.ModuleDict({kind: nn.Linear(size, width) for kind, size in features.items()})
        # bodies that differ in their task alone must be told apart at every token; from zero, as the task's numbers
        # would otherwise outweigh what tells the tokens of a body apart
        self.task_shift = nn.Linear(features["task"], width, bias=False)
        nn.init.zeros_(self.task_shift.weight)
        self.relation_bias = nn.Linear(NUM_RELATIONS, depth * heads, bias=False)
        self.layers = nn.ModuleList(_Layer(width, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(width)

    def forward(self, batch: TokenBatch) -> dict[str, Tensor]:
        """Return kind -> (B, tokens of that kind, width), of unit mean square each."""
        parts = {kind: layer(batch.features[kind]) for kind, layer in self.embed.items()}
        sizes = [part.shape[1] for part in parts.values()]
        tokens = torch.cat(list(parts.values()), dim=1) + self.task_shift(batch.features["task"])
        for layer, bias in zip(self.layers, self._biases(batch), strict=True):
            tokens = layer(tokens, bias)
        tokens = self.norm(tokens) * batch.token_mask[..., None]
        return dict(zip(self.embed, tokens.split(sizes, dim=1), strict=True))

    def _biases(self, batch: TokenBatch) -> tuple[Tensor, ...]:
        """Each layer's attention biases (B, heads, N, N); all layers in one product, minus infinity on padding."""
        b, n = batch.token_mask.shape
        bias = torch.matmul(self.relation_bias.weight, batch.relation_indicators).view(b, -1, n, n)
        return bias.masked_fill(~batch.token_mask[:, None, None, :], float("-inf")).chunk(len(self.layers), dim=1)


class _Layer(nn.Module):
    """Pre-norm self-attention with relation biases, then a feed-forward block."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.attention_norm, self.feedforward_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query_key_value = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.feedforward = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

    def forward(self, tokens: Tensor, bias: Tensor) -> Tensor:
        """Mix tokens (B, N, width) under attention biases (B, heads, N, N)."""
        b, n, width = tokens.shape
        query, key, value = (
            part.view(b, n, self.heads, -1).transpose(1, 2)
            for part in self.query_key_value(self.attention_norm(tokens)).chunk(3, dim=-1)
        )
        mixed = nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=bias)
        tokens = tokens + self.out(mixed.transpose(1, 2).reshape(b, n, width))
        return tokens + self.feedforward(self.feedforward_norm(tokens))
