"""PPO's loss, and its gradient at what is generated: perceptrons and exploration."""

from __future__ import annotations

import torch
from torch import Tensor

from morphnet.config import TrainConfig
from morphnet.learning.samples import Samples
from morphnet.networks import StackedActor, StackedMLP

Pairs = list[tuple[Tensor, Tensor]]
"""Generated tensors, each with the loss's gradient there."""


@torch.no_grad()
def policy_loss(actors: StackedActor, batch: Samples, config: TrainConfig, share: float) -> tuple[Pairs, list[Tensor]]:
    """The clipped surrogate (Schulman et al. 2017, eq. 7) and the entropy bonus of B actors.

    Args:
        actors: B actors.
        batch: (B, n, ...) samples.
        config: clip range and weights.
        share: weight of these bodies among all.

    Returns:
        The gradient of share x loss, and policy loss, entropy, approximate KL divergence and share of clipped ratios.
    """
    mean, hidden = actors.mean.run(batch.observation)
    log_ratio = actors.log_prob(mean, batch.action) - batch.log_prob
    ratio = log_ratio.exp()
    surrogate = ratio * batch.advantage
    clipped = ratio.clamp(1.0 - config.clip, 1.0 + config.clip) * batch.advantage
    # a clipped ratio gives no gradient; another one that of the surrogate, whose derivative is itself
    per_sample = torch.where(surrogate <= clipped, surrogate, 0.0)[..., None] * (-share / ratio.numel())
    inverse = torch.exp(-actors.log_std)
    deviation = (batch.action - mean) * inverse
    at_mean = per_sample * deviation * inverse * actors.action_mask
    at_log_std = (per_sample * (deviation.square() - 1.0)).sum(dim=1, keepdim=True) * actors.action_mask
    at_log_std -= share * config.entropy / len(ratio) * actors.action_mask
    found = actors.mean.gradients(batch.observation, hidden, at_mean)
    pairs = [*zip(actors.mean.tensors, found, strict=True), (actors.log_std, at_log_std)]
    kl = (ratio - 1.0 - log_ratio).mean()
    outside = ((ratio - 1.0).abs() > config.clip).float().mean()
    return pairs, [-torch.minimum(surrogate, clipped).mean(), actors.entropy().mean(), kl, outside]


@torch.no_grad()
def value_loss(critics: StackedMLP, observation: Tensor, target: Tensor, weight: float) -> tuple[Pairs, Tensor]:
    """Half the mean squared error of B critics.

    Args:
        critics: B critics.
        observation: (B, n, D).
        target: (B, n) values that should be.
        weight: of the gradient.

    Returns:
        The gradient of weight x loss, and the loss.
    """
    values, hidden = critics.run(observation)
    error = values - target[..., None]
    found = critics.gradients(observation, hidden, error * (weight / error.numel()))
    return list(zip(critics.tensors, found, strict=True)), 0.5 * error.square().mean()
