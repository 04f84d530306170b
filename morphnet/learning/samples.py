"""Samples: what PPO learns from."""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor

from morphnet.learning.advantage import RewardScale, generalized_advantage
from morphnet.learning.rollout import Rollout
from morphnet.networks import StackedActor, StackedMLP

REWARD_LIMIT = 10.0
"""Scaled rewards are clipped to +- this; a crash at speed would otherwise dominate a batch."""


@dataclasses.dataclass
class Samples:
    """A group's samples of one update, body first: (B, S, ...) with S = horizon x simulations."""

    observation: Tensor
    action: Tensor
    log_prob: Tensor
    advantage: Tensor
    value_target: Tensor

    def select(self, index: Tensor) -> Samples:
        """Return some of every body's samples."""
        return Samples(*(getattr(self, field.name)[:, index] for field in dataclasses.fields(self)))


@torch.no_grad()
def prepare(
    rollout: Rollout, actor: StackedActor, critic: StackedMLP, scale: RewardScale, gae_lambda: float
) -> Samples:
    """Turn a rollout of B bodies under ``actor`` into samples.

    Advantages are normalised and rewards scaled body by body, so no body outweighs another.
    """
    advantage, target = estimate(rollout, critic, scale, gae_lambda)
    spread = advantage.std(dim=(0, 2), keepdim=True) + 1e-8
    advantage = (advantage - advantage.mean(dim=(0, 2), keepdim=True)) / spread
    observation, action = by_body(rollout.observation[:-1]), by_body(rollout.action)
    log_prob = actor.log_prob(actor.mean(observation), action)
    return Samples(observation, action, log_prob, by_body(advantage), by_body(target))


@torch.no_grad()
def estimate(rollout: Rollout, critic: StackedMLP, scale: RewardScale, gae_lambda: float) -> tuple[Tensor, Tensor]:
    """Return advantages (T, B, n), not normalised yet, and the critic's targets (T, B, n); rewards are scaled."""
    discount = scale.discount.float()
    horizon, bodies, sims = rollout.reward.shape
    value = critic(by_body(rollout.observation)).view(bodies, horizon + 1, sims).transpose(0, 1)
    reward = rollout.reward / scale.update(rollout.reward, rollout.ended)
    reward.clamp_(-REWARD_LIMIT, REWARD_LIMIT)
    bootstrap(reward, rollout, critic, discount)
    advantage = generalized_advantage(reward, value, rollout.ended, discount, gae_lambda)
    return advantage, advantage + value[:-1]


def by_body(values: Tensor) -> Tensor:
    """Turn (T, B, n, ...) into (B, T x n, ...)."""
    return values.transpose(0, 1).flatten(1, 2)


def bootstrap(reward: Tensor, rollout: Rollout, critic: StackedMLP, discount: Tensor) -> None:
    """Add the discounted value of the state that each truncated episode ended in (Pardo et al. 2018)."""
    for t, body, sim, final in rollout.truncated:
        padded = torch.zeros(1, 1, rollout.observation.shape[-1])
        padded[0, 0, : len(final)] = torch.from_numpy(final)
        value = critic.select(slice(body, body + 1))(padded)
        reward[t, body, sim] += discount[body, 0] * value[0, 0, 0]
