"""Actor and critic of one body whose weights are plain parameters: what PPO trains without a hypernetwork.

They answer the calls that PPO makes of hypernetworks, so that both are trained by the same code.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from morphnet.networks import Moments, StackedActor, StackedMLP, TokenBatch
from morphnet.networks.statistics import SMALLEST_STD
from morphnet.policy import ActorWeights
from morphnet.specialists.symmetry import Symmetry


class EntryStatistics(nn.Module):
    """Running mean and variance of every observation entry of one body, folded into first layers."""

    count: Tensor
    mean: Tensor
    variance: Tensor

    def __init__(self, size: int) -> None:
        """Start at mean 0 and variance 1."""
        super().__init__()
        self.fixed = False
        self.register_buffer("count", torch.zeros((), dtype=torch.float64))
        self.register_buffer("mean", torch.zeros(size, dtype=torch.float64))
        self.register_buffer("variance", torch.ones(size, dtype=torch.float64))

    @property
    def std(self) -> Tensor:
        """(D,) standard deviation, from below bounded."""
        return self.variance.sqrt().clamp_min(SMALLEST_STD)

    def fold(self, weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
        """Turn a layer (H, D), (H,) on normalised observations into one on raw observations."""
        scaled = weight / self.std.to(weight.dtype)
        return scaled, bias - scaled @ self.mean.to(weight.dtype)

    def unfold(self, weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
        """Turn a layer on raw observations into one on normalised observations."""
        return weight * self.std.to(weight.dtype), bias + weight @ self.mean.to(weight.dtype)

    @torch.no_grad()
    def update(self, observation: Tensor, robots: TokenBatch | None = None) -> None:
        """Take in observations (1, n, D), unless they are fixed."""
        if self.fixed:
            return
        rows = observation.flatten(0, -2).double()
        added = Moments(torch.full_like(self.count, len(rows)), rows.mean(dim=0), rows.var(dim=0, unbiased=False))
        merged = Moments(self.count, self.mean, self.variance).merged(added)
        self.count, self.mean, self.variance = merged.count, merged.mean, merged.variance


class _Perceptron(nn.Module):
    """Two hidden tanh layers as parameters."""

    def __init__(
        self, sizes: tuple[int, int, int, int], last_gain: float, generator: torch.Generator | None = None
    ) -> None:
        """Orthogonal weights (Andrychowicz et al. 2021: a small last layer matters), zero biases."""
        super().__init__()
        pairs = [(sizes[1], sizes[0]), (sizes[2], sizes[1]), (sizes[3], sizes[2])]
        self.weights = nn.ParameterList(nn.Parameter(torch.empty(pair)) for pair in pairs)
        self.biases = nn.ParameterList(nn.Parameter(torch.zeros(pair[0])) for pair in pairs)
        for weight, gain in zip(self.weights, (math.sqrt(2), math.sqrt(2), last_gain), strict=True):
            nn.init.orthogonal_(weight, gain, generator)

    @torch.no_grad()
    def become(self, weights: Sequence[Tensor], biases: Sequence[Tensor], statistics: EntryStatistics) -> None:
        """Take over layers (outputs, inputs), (outputs,) whose first reads raw observations."""
        for parameter, given in zip([*self.weights, *self.biases], [*weights, *biases], strict=True):
            parameter.copy_(given)
        first, bias = statistics.unfold(self.weights[0], self.biases[0])
        self.weights[0].copy_(first)
        self.biases[0].copy_(bias)

    def stacked(self, statistics: EntryStatistics) -> StackedMLP:
        """Return the perceptron on raw observations, as a stack of one."""
        first, bias = statistics.fold(self.weights[0], self.biases[0])
        return StackedMLP(
            (first.T[None], self.weights[1].T[None], self.weights[2].T[None]),
            (bias[None, None], self.biases[1][None, None], self.biases[2][None, None]),
        )


def _tensor(array: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array))


class DirectActor(_Perceptron):
    """A Gaussian policy of one body. While ``frozen`` its parameters receive no gradient.

    Attributes:
        statistics: of its observations; the critic shares them.
        frozen: whether it is held still.
    """

    def __init__(
        self,
        observation_size: int,
        action_size: int,
        hidden: int,
        log_std: float,
        generator: torch.Generator | None = None,
        symmetry: Symmetry | None = None,
    ) -> None:
        """Start at a mean action near 0 and at the exploration ``log_std``; ``generator`` draws the weights.

        With a ``symmetry`` it treats the two limbs alike.

        Raises:
            ValueError: a symmetry, and an odd number of hidden units.
        """
        if symmetry is not None and hidden % 2:
            raise ValueError(f"hidden = {hidden}: must be even, as halves change places")
        super().__init__((observation_size, hidden, hidden, action_size), 0.01, generator)
        self.statistics = EntryStatistics(observation_size)
        self.log_std = nn.Parameter(torch.full((action_size,), log_std))
        self.symmetry = symmetry
        if symmetry is not None:  # the mean of independent weights is smaller than they are
            for weight in self.weights:
                weight.data.mul_(math.sqrt(2))
        self.frozen = False

    def forward(self, robots: TokenBatch | None = None) -> StackedActor:
        """Return the actor on raw observations, as a stack of one."""
        mean, log_std = self.stacked(self.statistics), self.log_std[None, None]
        if self.symmetry is not None:
            mean, log_std = self.symmetry.symmetrized(mean, log_std)
        if self.frozen:
            mean = StackedMLP(
                (mean.weights[0].detach(), mean.weights[1].detach(), mean.weights[2].detach()),
                (mean.biases[0].detach(), mean.biases[1].detach(), mean.biases[2].detach()),
            )
            log_std = log_std.detach()
        return StackedActor(mean, log_std, torch.ones_like(log_std))

    @torch.no_grad()
    def take(self, weights: ActorWeights) -> None:
        """Become an emitted actor, at the statistics as they are."""
        self.become([_tensor(w) for w in weights.weights], [_tensor(b) for b in weights.biases], self.statistics)
        self.log_std.copy_(_tensor(weights.log_std))

    @torch.no_grad()
    def emitted(self) -> ActorWeights:
        """Return the actor as a policy holds it, normalisation folded in."""
        size, hidden, actions = self.weights[0].shape[1], self.weights[0].shape[0], self.weights[2].shape[0]
        return ActorWeights.of_stack(self(), 0, size, hidden, actions)


class DirectCritic(_Perceptron):
    """A value function of one body."""

    def __init__(self, observation_size: int, hidden: int, generator: torch.Generator | None = None) -> None:
        """Start near value 0; ``generator`` draws the weights."""
        super().__init__((observation_size, hidden, hidden, 1), 1.0, generator)

    def take(self, critic: StackedMLP, statistics: EntryStatistics) -> None:
        """Become a critic that a hypernetwork emitted, a stack of one, at the statistics as they are."""
        self.become([w[0].T for w in critic.weights], [b[0, 0] for b in critic.biases], statistics)

    def forward(self, robots: TokenBatch | None, statistics: EntryStatistics) -> StackedMLP:
        """Return the critic on raw observations, as a stack of one."""
        return self.stacked(statistics)
