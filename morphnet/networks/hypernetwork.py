"""Hypernetworks: a robot's tokens in, the weights of its actor or critic out."""

from __future__ import annotations

import itertools
import math

import torch
from torch import Tensor, nn

from morphnet.config import NetworkConfig
from morphnet.networks.actor import StackedActor, StackedMLP, exploration_shift
from morphnet.networks.encoder import GraphEncoder
from morphnet.networks.statistics import ObservationStatistics
from morphnet.networks.tokens import NUM_RELATIONS, SlotTable, TokenBatch


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

    def forward(self, embedding: Tensor, rows: Tensor | None = None) -> Tensor:
        """Generate for embeddings (..., width); of the first axis of ``shape`` only ``rows``, if given."""
        weight: Tensor = self.weight
        base: Tensor = self.base
        shape = self.shape
        if rows is not None:
            shape = (len(rows), *shape[1:])
            weight = weight.view(len(weight), *self.shape).index_select(1, rows).flatten(1)
            base = base.view(self.shape).index_select(0, rows).flatten()
        generated = torch.addmm(self.scale * base, (self.gain * embedding).flatten(0, -2), weight)
        return generated.view(*embedding.shape[:-1], *shape)


class _WeightGenerator(nn.Module):
    """Encoder and heads that generate a perceptron a robot.

    Hidden units are of two sorts. Shared units see every token through a block of weights read from that
    token's embedding. Own units belong to one actuator each: their blocks are read from the token, the
    actuator and how the two are related in the graph. Without own units like limbs would have like blocks, and
    little more than the sum of their states would reach the hidden units.
    """

    def __init__(
        self, features: dict[str, int], slots: SlotTable, config: NetworkConfig, output_kind: str, output_scale: float
    ) -> None:
        super().__init__()
        self.slots, self.output_kind = slots, output_kind
        self.encoder = GraphEncoder(features, config.width, config.depth, config.heads)
        self.pool = nn.Linear(2 * config.width, config.width)
        self.pool_norm = nn.LayerNorm(config.width)
        self.first = _FirstLayer(slots, config)
        self.middle = _MiddleLayer(config)
        self.last = _LastLayer(config, output_scale)

    def forward(self, batch: TokenBatch, statistics: ObservationStatistics) -> tuple[StackedMLP, Tensor]:
        """Return the perceptrons and the embeddings (B, A, width) of the actuators."""
        tokens = self.encoder(batch)
        pooled = self._pool(tokens, batch)
        actuators, mask = tokens["actuator"], batch.action_mask
        weight, bias = self.first(tokens, pooled, batch, statistics)
        middle, middle_bias = self.middle(pooled, actuators, mask)
        rows, row_bias = self.last(tokens[self.output_kind], actuators, mask)
        return StackedMLP((weight, middle, rows), (bias, middle_bias, row_bias)), actuators

    def _pool(self, tokens: dict[str, Tensor], batch: TokenBatch) -> Tensor:
        """(B, width): the mean token beside the task token, which has attended to all."""
        total = torch.cat(list(tokens.values()), dim=1).sum(dim=1)
        mean = total / batch.token_mask.sum(dim=1, keepdim=True)
        return self.pool_norm(self.pool(torch.cat([mean, tokens["task"][:, 0]], dim=-1)))


class _FirstLayer(nn.Module):
    """Observation to hidden units: (B, D, hidden + A * own)."""

    def __init__(self, slots: SlotTable, config: NetworkConfig) -> None:
        super().__init__()
        width, variation = config.width, config.token_variation
        self.slots, self.own = slots, config.own
        self.shared = nn.ModuleDict(
            {
                kind: _Head(width, (n, config.hidden), torch.randn(n, config.hidden), 1.0, variation)
                for kind, n in slots.sizes.items()
            }
        )
        self.related = nn.ModuleDict(
            {
                kind: _Head(width, (n, config.own), torch.randn(n, config.own), 1.0, variation)
                for kind, n in slots.sizes.items()
            }
        )
        self.relation = nn.Linear(NUM_RELATIONS, width, bias=False)
        self.relation_norm = nn.LayerNorm(width)
        self.bias = _Head(width, (config.hidden,), torch.zeros(config.hidden), 1.0, 0.0)
        self.own_bias = _Head(width, (config.own,), torch.zeros(config.own), 1.0, 0.0)

    def forward(
        self, tokens: dict[str, Tensor], pooled: Tensor, batch: TokenBatch, statistics: ObservationStatistics
    ) -> tuple[Tensor, Tensor]:
        """Return weight (B, D, units) and bias (B, 1, units) on raw observations.

        With W for normalised observations, W' = W / std and b' = b - mean W'.
        """
        shared, own = [], []
        for kind, used in zip(self.slots.sizes, batch.used_slots, strict=True):
            carriers, relation = _carriers(kind, tokens, batch)
            shared.append(self.shared[kind](carriers, used).flatten(1, 2))
            seen = self.relation(relation) + carriers[:, :, None] + tokens["actuator"][:, None]
            blocks = self.related[kind](self.relation_norm(seen), used)
            own.append(blocks.permute(0, 1, 3, 2, 4).flatten(1, 2).flatten(2, 3))
        table = torch.cat([torch.cat(shared, dim=1), torch.cat(own, dim=1)], dim=-1)
        row = self._rows([part.shape[1] for part in shared], batch)
        mean, std = statistics.of_entries(batch)
        # as for an ordinary dense layer: the more inputs, the smaller each weight
        scale = batch.entry_mask / batch.entry_mask.sum(dim=1, keepdim=True).sqrt() / std
        weight = table.flatten(0, 1).index_select(0, row.flatten()).view(*row.shape, -1) * scale[..., None]
        bias = torch.cat([self.bias(pooled), self.own_bias(tokens["actuator"]).flatten(1, 2)], dim=-1)
        return weight, bias[:, None] - torch.bmm(mean[:, None], weight)

    def _rows(self, lengths: list[int], batch: TokenBatch) -> Tensor:
        """(B, D) row of each observation entry in the table of all robots' and kinds' blocks, robot by robot."""
        starts = torch.tensor([0, *itertools.accumulate(lengths)])
        widths = torch.tensor([len(used) for used in batch.used_slots])
        column = torch.zeros_like(batch.entry_slot)
        for kind, used in enumerate(batch.used_slots):
            column = torch.where(batch.entry_kind == kind, torch.searchsorted(used, batch.entry_slot), column)
        row = starts[batch.entry_kind] + batch.entry_token * widths[batch.entry_kind] + column
        return row.where(batch.entry_mask, 0) + starts[-1] * torch.arange(batch.num_robots)[:, None]


def _carriers(kind: str, tokens: dict[str, Tensor], batch: TokenBatch) -> tuple[Tensor, Tensor]:
    """Tokens that carry a kind of slot (B, T, width), and how actuators see them (B, T, A, relations)."""
    starts = dict(zip(tokens, [0, *itertools.accumulate(t.shape[1] for t in tokens.values())], strict=False))
    acting = slice(starts["actuator"], starts["actuator"] + tokens["actuator"].shape[1])
    if kind == "root":
        robots = torch.arange(batch.num_robots)
        root = starts["body"] + batch.root
        return tokens["body"][robots, batch.root, None], batch.relation_one_hot[robots, root, None, acting]
    carrying = slice(starts[kind], starts[kind] + tokens[kind].shape[1])
    return tokens[kind], batch.relation_one_hot[:, carrying, acting]


class _MiddleLayer(nn.Module):
    """Hidden to hidden: shared units with all, an actuator's own units with themselves and the shared ones."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        width, hidden, own = config.width, config.hidden, config.own
        fan_in, own_fan_in = 1.0 / math.sqrt(hidden), 1.0 / math.sqrt(own)
        base = nn.init.orthogonal_(torch.empty(hidden, hidden), gain=math.sqrt(2))
        self.shared = _Head(width, (hidden, hidden), base, fan_in, 0.1)
        self.down = _Head(width, (hidden, own), fan_in * torch.randn(hidden, own), fan_in, 0.1)
        self.up = _Head(width, (own, hidden), own_fan_in * torch.randn(own, hidden), own_fan_in, 0.1)
        self.across = _Head(width, (own, own), own_fan_in * torch.randn(own, own), own_fan_in, 0.1)
        self.bias = _Head(width, (hidden,), torch.zeros(hidden), 1.0, 0.0)
        self.own_bias = _Head(width, (own,), torch.zeros(own), 1.0, 0.0)

    def forward(self, pooled: Tensor, actuators: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        share = mask / mask.sum(dim=1, keepdim=True).sqrt()
        up = self.up(actuators) * share[..., None, None].to(actuators.dtype)
        upper = torch.cat([self.shared(pooled), self.down(actuators).transpose(1, 2).flatten(2, 3)], dim=-1)
        lower = torch.cat([up.flatten(1, 2), _block_diagonal(self.across(actuators))], dim=-1)
        bias = torch.cat([self.bias(pooled), self.own_bias(actuators).flatten(1, 2)], dim=-1)
        return torch.cat([upper, lower], dim=1), bias[:, None]


class _LastLayer(nn.Module):
    """Hidden to outputs: an actuator reads the shared and its own units, a value reads all."""

    def __init__(self, config: NetworkConfig, output_scale: float) -> None:
        super().__init__()
        width, hidden, own = config.width, config.hidden, config.own
        fan_in, own_fan_in = 1.0 / math.sqrt(hidden), 1.0 / math.sqrt(own)
        variation = output_scale * config.token_variation
        self.rows = _Head(width, (hidden,), output_scale * fan_in * torch.randn(hidden), fan_in, variation)
        self.own_rows = _Head(width, (own,), output_scale * own_fan_in * torch.randn(own), own_fan_in, variation)
        self.bias = _Head(width, (1,), torch.zeros(1), 1.0, 0.0)

    def forward(self, outputs: Tensor, actuators: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        own = self.own_rows(actuators)
        if outputs is actuators:
            lower = _block_diagonal(own[..., None])
        else:
            share = mask / mask.sum(dim=1, keepdim=True).sqrt()
            lower = (own * share[..., None].to(own.dtype)).flatten(1, 2)[..., None]
        weight = torch.cat([self.rows(outputs).transpose(1, 2), lower], dim=1)
        return weight, self.bias(outputs).transpose(1, 2)


def _block_diagonal(blocks: Tensor) -> Tensor:
    """(B, A, n, m) blocks as (B, A * n, A * m) matrices."""
    count = blocks.shape[1]
    eye = torch.eye(count, dtype=blocks.dtype)
    return (blocks[:, :, :, None] * eye[None, :, None, :, None]).flatten(3, 4).flatten(1, 2)


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
        shift = exploration_shift(batch.control_step)[:, None, None]
        log_std = (self.log_std(actuators).transpose(1, 2) + shift).clamp(-4.0, 0.5)
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
