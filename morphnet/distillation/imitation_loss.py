"""The loss of imitating experts, and its gradient at what is generated."""

from __future__ import annotations

import torch
from torch import Tensor

from morphnet.networks import StackedActor

NOISE = 0.01
"""Weight of imitating the exploration."""


@torch.no_grad()
def imitation_loss(
    actors: StackedActor, experts: StackedActor, observation: Tensor, action: Tensor, share: float = 1.0
) -> tuple[list[tuple[Tensor, Tensor]], Tensor]:
    """Half the mean squared error of mean actions, and of the logarithms of the noise, over the real actuators.

    Experts' actions are clipped to what actuators can do; one that lies at the limit is reached by anything beyond.

    Args:
        actors: B actors that learn.
        experts: their experts.
        observation: (B, n, D).
        action: (B, n, A) the experts' mean actions there, in [-1, 1].
        share: weight of these bodies among all.

    Returns:
        What is generated, each tensor with the gradient of share x loss there; and the loss.
    """
    mean, hidden = actors.mean.run(observation)
    error = mean - action
    error = torch.where(action >= 1.0, error.clamp_max(0.0), torch.where(action <= -1.0, error.clamp_min(0.0), error))
    weight = actors.action_mask / actors.action_mask.sum(dim=-1, keepdim=True) / len(mean)
    at_mean = error * (weight * (share / mean.shape[1]))
    louder = actors.log_std - experts.log_std
    found = actors.mean.gradients(observation, hidden, at_mean)
    pairs = [*zip(actors.mean.tensors, found, strict=True), (actors.log_std, louder * (weight * (share * NOISE)))]
    loss = 0.5 * (error.square().mean(dim=1, keepdim=True) + NOISE * louder.square()) * weight
    return pairs, loss.sum()
