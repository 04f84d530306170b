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
        self.layers = nn.ModuleList(_Layer(width, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(width)

    def forward(self, batch: TokenBatch) -> dict[str, Tensor]:
        """Return kind -> (B, tokens of that kind, width), of unit mean square each."""
        parts = [layer(batch.features[kind]) for kind, layer in self.embed.items()]
        sizes = [part.shape[1] for part in parts]
        tokens = torch.cat(parts, dim=1)
        for layer in self.layers:
            tokens = layer(tokens, batch.relation_one_hot, batch.token_mask)
        tokens = self.norm(tokens) * batch.token_mask[..., None]
        return dict(zip(self.embed, tokens.split(sizes, dim=1), strict=True))


class _Layer(nn.Module):
    """Pre-norm self-attention with relation biases, then a feed-forward block."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.attention_norm, self.feedforward_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query_key_value = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.relation_bias = nn.Linear(NUM_RELATIONS, heads, bias=False)
        self.feedforward = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

    def forward(self, tokens: Tensor, relation: Tensor, mask: Tensor) -> Tensor:
        b, n, width = tokens.shape
        query, key, value = (
            part.view(b, n, self.heads, -1).transpose(1, 2)
            for part in self.query_key_value(self.attention_norm(tokens)).chunk(3, dim=-1)
        )
        bias = self.relation_bias(relation).permute(0, 3, 1, 2)
        bias = bias.masked_fill(~mask[:, None, None, :], float("-inf"))
        mixed = nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=bias)
        tokens = tokens + self.out(mixed.transpose(1, 2).reshape(b, n, width))
        return tokens + self.feedforward(self.feedforward_norm(tokens))
