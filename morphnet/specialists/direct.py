"""Actor and critic of one body whose weights are plain numbers: what PPO trains without a hypernetwork."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from morphnet.networks import Moments, StackedActor, StackedMLP
from morphnet.networks.statistics import SMALLEST_STD
from morphnet.policy import ActorWeights
from morphnet.specialists.perceptron import FlatPerceptron


class EntryStatistics:
    """Running mean and variance of every observation entry of one body, folded into first layers.

    Attributes:
        fixed: whether they stay as they are.
        count: of the observations.
        mean, variance: (D,) float64.
    """

    def __init__(self, size: int) -> None:
        """Start at mean 0 and variance 1, for observations of ``size`` entries."""
        self.fixed = False
        self.count = torch.zeros((), dtype=torch.float64)
        self.mean = torch.zeros(size, dtype=torch.float64)
        self.variance = torch.ones(size, dtype=torch.float64)

    @property
    def std(self) -> Tensor:
        """(D,) standard deviation, from below bounded."""
        return self.variance.sqrt().clamp_min(SMALLEST_STD)

    def normalised(self, observation: Tensor) -> np.ndarray:
        """Return observations (..., D) as rows (n, D), float32."""
        rows = observation.reshape(-1, observation.shape[-1])
        return ((rows - self.mean) / self.std).float().numpy()

    def fold(self, first: Tensor, one: Tensor) -> tuple[Tensor, Tensor]:
        """Turn a layer (D, H), (H,) on normalised observations into one on raw observations."""
        scaled = first / self.std[:, None]
        return scaled.float(), (one - self.mean @ scaled).float()

    def unfold(self, first: Tensor, one: Tensor) -> tuple[Tensor, Tensor]:
        """Turn a layer on raw observations into one on normalised observations."""
        return (first * self.std[:, None]).float(), (one + self.mean @ first.double()).float()

    def update(self, observation: Tensor) -> None:
        """Take in observations (..., D), unless they are fixed."""
        if self.fixed:
            return
        rows = observation.reshape(-1, observation.shape[-1]).double()
        added = Moments(torch.full_like(self.count, len(rows)), rows.mean(dim=0), rows.var(dim=0, unbiased=False))
        merged = Moments(self.count, self.mean, self.variance).merged(added)
        self.count, self.mean, self.variance = merged.count, merged.mean, merged.variance


def _become(perceptron: FlatPerceptron, given: list[np.ndarray], statistics: EntryStatistics) -> None:
    """Take over layers as ``Layers`` has them whose first reads raw observations."""
    first, one = statistics.unfold(torch.from_numpy(np.array(given[0])), torch.from_numpy(np.array(given[3])))
    for layer, values in zip(perceptron.layers, [first.numpy(), *given[1:3], one.numpy(), *given[4:]], strict=False):
        layer[:] = values


def _stacked(perceptron: FlatPerceptron, statistics: EntryStatistics) -> StackedMLP:
    """Return a copy of a perceptron, on raw observations, as a stack of one."""
    first, second, third, one, two, three = (torch.from_numpy(layer.copy()) for layer in perceptron.layers[:6])
    first, one = statistics.fold(first, one)
    return StackedMLP((first[None], second[None], third.T[None]), (one[None, None], two[None, None], three[None, None]))


class DirectActor:
    """A Gaussian policy of one body.

    Attributes:
        perceptron: of its mean action.
        statistics: of its observations; the critic shares them.
    """

    def __init__(
        self,
        observation_size: int,
        action_size: int,
        hidden: int,
        log_std: float,
        generator: torch.Generator | None = None,
    ) -> None:
        """Start at a mean action near 0 and at the exploration ``log_std``; ``generator`` draws the weights."""
        self.perceptron = FlatPerceptron((observation_size, hidden, action_size), 0.01, True, generator)
        self.statistics = EntryStatistics(observation_size)
        self.perceptron.layers.log_std[:] = log_std

    def __call__(self) -> StackedActor:
        """Return the actor on raw observations, as a stack of one."""
        log_std = torch.from_numpy(self.perceptron.layers.log_std.copy())[None, None]
        return StackedActor(_stacked(self.perceptron, self.statistics), log_std, torch.ones_like(log_std))

    def take(self, actor: ActorWeights) -> None:
        """Become an emitted actor, at the statistics as they are."""
        first, second, third = actor.weights
        _become(self.perceptron, [first.T, second.T, third, *actor.biases, actor.log_std], self.statistics)

    def emitted(self) -> ActorWeights:
        """Return the actor as a policy holds it, normalisation folded in."""
        return ActorWeights.of_stack(self(), 0, *self.perceptron.sizes)


class DirectCritic:
    """A value function of one body.

    Attributes:
        perceptron: of its values.
    """

    def __init__(self, observation_size: int, hidden: int, generator: torch.Generator | None = None) -> None:
        """Start near value 0; ``generator`` draws the weights."""
        self.perceptron = FlatPerceptron((observation_size, hidden, 1), 1.0, False, generator)

    def take(self, critic: StackedMLP, statistics: EntryStatistics) -> None:
        """Become a critic that a hypernetwork emitted, a stack of one, at the statistics as they are."""
        first, second, third = (weight[0].detach().numpy() for weight in critic.weights)
        biases = [bias[0, 0].detach().numpy() for bias in critic.biases]
        _become(self.perceptron, [first, second, third.T, *biases], statistics)

    def __call__(self, statistics: EntryStatistics) -> StackedMLP:
        """Return the critic on raw observations, as a stack of one."""
        return _stacked(self.perceptron, statistics)
