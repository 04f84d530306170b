"""Hypernetworks: a robot's tokens in, the weights of its actor or critic out."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from morphnet.config import NetworkConfig
from morphnet.networks.actor import StackedActor, StackedMLP
from morphnet.networks.encoder import GraphEncoder
from morphnet.networks.statistics import ObservationStatistics
from morphnet.networks.tokens import SlotTable, TokenBatch


class _Head(nn.Module):
    """Embedding to generated weights: what all robots share, plus differences read from the embedding.

    Parameters are of order one whatever the size of what they generate, and the embedding is divided by the
    root of its width. One Adam step then moves a generated weight about as far as it would move an ordinary
    one; with plain linear heads it moves it some fifty times further, and PPO's trust region is left at once.
    """

    def __init__(self, width: int, shape: tuple[int, ...], base: Tensor, scale: float, variation: float) -> None:
        super().__init__()
        self.shape, self.scale, self.gain = shape, scale, scale / math.sqrt(width)
        size = math.prod(shape)
        self.weight = nn.Parameter(variation * torch.randn(width, size))
        self.base = nn.Parameter(base.flatten() / scale)

    def forward(self, embedding: Tensor) -> Tensor:
        generated = embedding @ (self.gain * self.weight) + self.scale * self.base
        return generated.view(*embedding.shape[:-1], *self.shape)


class _WeightGenerator(nn.Module):
    """Encoder and heads that generate a perceptron with one output a token of kind ``output_kind``."""

    def __init__(
        self, features: dict[str, int], slots: SlotTable, config: NetworkConfig, output_kind: str, output_scale: float
    ) -> None:
        super().__init__()
        width, hidden = config.width, config.hidden
        self.slots, self.output_kind = slots, output_kind
        self.encoder = GraphEncoder(features, width, config.depth, config.heads)
        self.pool = nn.Linear(2 * width, width)
        self.pool_norm = nn.LayerNorm(width)
        variation, fan_in = config.token_variation, 1.0 / math.sqrt(hidden)
        self.blocks = nn.ModuleDict(
            {
                kind: _Head(width, (size, hidden), torch.randn(size, hidden), 1.0, variation)
                for kind, size in slots.sizes.items()
            }
        )
        self.first_bias = _Head(width, (hidden,), torch.zeros(hidden), 1.0, 0.0)
        middle = nn.init.orthogonal_(torch.empty(hidden, hidden), gain=math.sqrt(2))
        self.middle = _Head(width, (hidden, hidden), middle, fan_in, 0.1)
        self.middle_bias = _Head(width, (hidden,), torch.zeros(hidden), 1.0, 0.0)
        rows = output_scale * fan_in * torch.randn(hidden)
        self.rows = _Head(width, (hidden,), rows, fan_in, output_scale * variation)
        self.row_bias = _Head(width, (1,), torch.zeros(1), 1.0, 0.0)

    def forward(self, batch: TokenBatch, statistics: ObservationStatistics) -> tuple[StackedMLP, Tensor]:
        """Return the perceptrons and the embeddings (B, outputs, width) of their output tokens."""
        tokens = self.encoder(batch)
        pooled = self._pool(tokens, batch)
        first = self._first_layer(tokens, batch)
        first, bias = statistics.fold(first, self.first_bias(pooled)[:, None], batch)
        outputs = tokens[self.output_kind]
        rows = self.rows(outputs).transpose(1, 2)
        perceptron = StackedMLP(
            (first, self.middle(pooled), rows),
            (bias, self.middle_bias(pooled)[:, None], self.row_bias(outputs).transpose(1, 2)),
        )
        return perceptron, outputs

    def _pool(self, tokens: dict[str, Tensor], batch: TokenBatch) -> Tensor:
        """(B, width): the mean token beside the task token, which has attended to all."""
        total = torch.cat(list(tokens.values()), dim=1).sum(dim=1)
        mean = total / batch.token_mask.sum(dim=1, keepdim=True)
        return self.pool_norm(self.pool(torch.cat([mean, tokens["task"][:, 0]], dim=-1)))

    def _first_layer(self, tokens: dict[str, Tensor], batch: TokenBatch) -> Tensor:
        """(B, D, hidden): each observing token's block, its rows picked by the observation's layout."""
        table, starts, widths, start = [], [], [], 0
        for kind, size in self.slots.sizes.items():
            block = self.blocks[kind](tokens[self.slots.carriers[kind]])
            table.append(block.flatten(1, 2))
            starts.append(start)
            widths.append(size)
            start += block.shape[1] * size
        offset = torch.tensor(starts)[batch.entry_kind]
        row = offset + batch.entry_token * torch.tensor(widths)[batch.entry_kind] + batch.entry_slot
        weights = torch.cat(table, dim=1).gather(1, row[..., None].expand(-1, -1, self.middle.shape[0]))
        size = batch.entry_mask.sum(dim=1)
        # as for an ordinary dense layer, the more inputs the smaller each weight
        return weights * (batch.entry_mask / size.sqrt()[:, None])[..., None]


class ActorHypernetwork(nn.Module):
    """Emits a Gaussian actor for every robot of a batch."""

    def __init__(self, features: dict[str, int], slots: SlotTable, config: NetworkConfig) -> None:
        """Build it.

        Args:
            features: kind of token -> number of physical features.
            slots: the kinds of observation slots.
            config: sizes.
        """
        super().__init__()
        self.generator = _WeightGenerator(features, slots, config, "actuator", output_scale=0.1)
        self.log_std = _Head(config.width, (1,), torch.full((1,), config.initial_log_std), 0.15, 0.0)
        self.statistics = ObservationStatistics(slots)

    def forward(self, batch: TokenBatch) -> StackedActor:
        """Generate the actors of B robots; they read raw observations."""
        mean, actuators = self.generator(batch, self.statistics)
        log_std = self.log_std(actuators).transpose(1, 2).clamp(-4.0, 0.5)
        return StackedActor(mean, log_std, batch.action_mask[:, None].to(log_std.dtype))


class CriticHypernetwork(nn.Module):
    """Emits a state-value function for every robot of a batch."""

    def __init__(self, features: dict[str, int], slots: SlotTable, config: NetworkConfig) -> None:
        """Build it; arguments as for ``ActorHypernetwork``."""
        super().__init__()
        self.generator = _WeightGenerator(features, slots, config, "task", output_scale=1.0)

    def forward(self, batch: TokenBatch, statistics: ObservationStatistics) -> StackedMLP:
        """Generate the critics of B robots: raw observations (B, n, D) to scaled values (B, n, 1)."""
        return self.generator(batch, statistics)[0]
