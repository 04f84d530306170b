"""The loss of imitating experts."""

from __future__ import annotations

import torch
from torch import Tensor

from morphnet.networks import StackedActor


def imitation_loss(actors: StackedActor, experts: StackedActor, observation: Tensor, action: Tensor) -> Tensor:
    """Mean squared error of mean actions, and of the logarithms of the noise, over the real actuators.

    Experts' actions are clipped to what actuators can do; one that lies at the limit is reached by anything beyond.

    Args:
        actors: B actors that learn.
        experts: their experts.
        observation: (B, n, D).
        action: (B, n, A) the experts' mean actions there, in [-1, 1].
    """
    mean = actors.mean(observation)
    error = mean - action
    error = torch.where(action >= 1.0, error.clamp_max(0.0), torch.where(action <= -1.0, error.clamp_min(0.0), error))
    mask = actors.action_mask
    count = mask.sum(dim=-1)
    wrong = (0.5 * error.square() * mask).sum(dim=-1) / count
    noise = (0.5 * (actors.log_std - experts.log_std).square() * mask).sum(dim=-1) / count
    return wrong.mean() + 0.01 * noise.mean()
