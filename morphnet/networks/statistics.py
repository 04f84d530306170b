"""Running statistics of observations, shared by all tokens of a kind; generated first layers take them in."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from morphnet.networks.moments import Moments
from morphnet.networks.tokens import SlotTable, TokenBatch

SMALLEST_STD = 0.02
"""A slot that hardly varies would otherwise blow up by noise; in the observation's scaled units."""


class ObservationStatistics(nn.Module):
    """Mean and variance of every slot, over all robots, tokens and steps seen in training.

    Taken into the first layer's weights they make normalisation free: generated perceptrons read raw observations.
    """

    count: Tensor
    mean: Tensor
    variance: Tensor
    fixed: Tensor
    offsets: Tensor

    def __init__(self, slots: SlotTable) -> None:
        """Start at mean 0 and variance 1; the task's slots stay there, as they are commands, not measurements."""
        super().__init__()
        self.register_buffer("count", torch.zeros(slots.total, dtype=torch.float64))
        self.register_buffer("mean", torch.zeros(slots.total, dtype=torch.float64))
        self.register_buffer("variance", torch.ones(slots.total, dtype=torch.float64))
        fixed = torch.cat([torch.full((size,), kind == "task") for kind, size in slots.sizes.items()])
        self.register_buffer("fixed", fixed, persistent=False)
        self.register_buffer("offsets", torch.from_numpy(slots.offsets()), persistent=False)

    def _entries(self, batch: TokenBatch) -> Tensor:
        """(B, D) position of each observation entry's slot among all slots."""
        return self.offsets[batch.entry_kind] + batch.entry_slot

    def of_entries(self, batch: TokenBatch) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of each robot's observation entries, (B, D) each."""
        entries = self._entries(batch)
        dtype = batch.features["body"].dtype
        std = self.variance.sqrt().clamp_min(SMALLEST_STD)
        return self.mean[entries].to(dtype), std[entries].to(dtype)

    @torch.no_grad()
    def update(self, observation: Tensor, batch: TokenBatch) -> None:
        """Take in observations (B, n, D)."""
        entries = self._entries(batch)[batch.entry_mask]
        samples = observation.shape[1]
        first = observation.mean(dim=1, dtype=torch.float64)[batch.entry_mask]
        second = observation.double().square().mean(dim=1)[batch.entry_mask]
        added = torch.zeros_like(self.count).index_add_(0, entries, torch.full_like(first, samples))
        seen = added.clamp_min(1.0)
        mean = torch.zeros_like(self.mean).index_add_(0, entries, first * samples) / seen
        square = torch.zeros_like(self.mean).index_add_(0, entries, second * samples) / seen
        new = Moments(self.count, self.mean, self.variance).merged(Moments(added, mean, square - mean.square()))
        changed = (added > 0) & ~self.fixed
        self.mean.copy_(torch.where(changed, new.mean, self.mean))
        self.variance.copy_(torch.where(changed, new.variance.clamp_min(0.0), self.variance))
        self.count.copy_(torch.where(changed, new.count, self.count))
