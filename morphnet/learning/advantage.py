"""Advantages and reward scales."""

from __future__ import annotations

import torch
from torch import Tensor

from morphnet.networks import Moments


def generalized_advantage(reward: Tensor, value: Tensor, ended: Tensor, discount: Tensor, gae_lambda: float) -> Tensor:
    """Generalised advantage estimation (Schulman et al. 2016, eq. 16).

    Args:
        reward: (T, ...) rewards; at a truncated step the discounted value of the final state is already added.
        value: (T + 1, ...) state values, the last for bootstrapping.
        ended: (T, ...) 1 where the episode ended (terminated or truncated) at this step.
        discount: broadcastable to (...).
        gae_lambda: lambda.

    Returns:
        (T, ...) advantages.
    """
    advantage = torch.zeros_like(reward)
    running = torch.zeros_like(reward[0])
    for t in range(len(reward) - 1, -1, -1):
        alive = 1.0 - ended[t]
        delta = reward[t] + discount * value[t + 1] * alive - value[t]
        running = delta + discount * gae_lambda * alive * running
        advantage[t] = running
    return advantage


class RewardScale:
    """Per-body scale of rewards: the running standard deviation of the discounted return.

    As in Engstrom et al. 2020, "Implementation Matters in Deep Policy Gradients", per body.
    """

    def __init__(self, discount: Tensor, num_sims: int) -> None:
        """Start with scale 1.

        Args:
            discount: (B, 1) discount of each body.
            num_sims: simulations a body.
        """
        bodies = len(discount)
        self.discount = discount
        self.running = torch.zeros(bodies, num_sims, dtype=torch.float64)
        self.count = torch.zeros(bodies, 1, dtype=torch.float64)
        self.mean = torch.zeros(bodies, 1, dtype=torch.float64)
        self.variance = torch.ones(bodies, 1, dtype=torch.float64)

    def update(self, reward: Tensor, ended: Tensor) -> Tensor:
        """Take in rewards and ends (T, B, n); return the scale (B, 1) to divide rewards by."""
        returns = torch.empty_like(reward, dtype=torch.float64)
        for t in range(len(reward)):
            self.running = self.running * self.discount + reward[t]
            returns[t] = self.running
            self.running = self.running * (1.0 - ended[t])
        self._merge(returns.transpose(0, 1).flatten(1))
        return (self.variance.sqrt() + 1e-8).float()

    def _merge(self, returns: Tensor) -> None:
        added = torch.full_like(self.count, returns.shape[1])
        mean, variance = returns.mean(dim=1, keepdim=True), returns.var(dim=1, keepdim=True, unbiased=False)
        merged = Moments(self.count, self.mean, self.variance).merged(Moments(added, mean, variance))
        self.count, self.mean, self.variance = merged.count, merged.mean, merged.variance

    def state_dict(self) -> dict[str, Tensor]:
        """Return what resuming needs."""
        return {name: getattr(self, name) for name in ("running", "count", "mean", "variance")}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Continue from a ``state_dict``."""
        for name, tensor in state.items():
            setattr(self, name, tensor.clone())
