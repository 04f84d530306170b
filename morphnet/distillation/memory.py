"""Memory: what was seen lately, and what the experts would do there."""

from __future__ import annotations

import torch
from torch import Tensor

from morphnet.learning.group import BodyGroup


class Memory:
    """The latest observations of a group's bodies, and what their experts would do there.

    Attributes:
        observation: (B, capacity, D).
        action: (B, capacity, A) the experts' mean actions.
    """

    def __init__(self, group: BodyGroup, capacity: int) -> None:
        """Allocate for ``capacity`` steps a body."""
        bodies, observed = group.robots.entry_mask.shape
        self.observation = torch.zeros(bodies, capacity, observed)
        self.action = torch.zeros(bodies, capacity, group.robots.action_mask.shape[1])
        self._next, self._full = 0, False

    def __len__(self) -> int:
        """Number of steps a body that it holds."""
        return self.observation.shape[1] if self._full else self._next

    def add(self, observation: Tensor, action: Tensor) -> None:
        """Take in (B, n, ...) steps in place of the oldest."""
        capacity = self.observation.shape[1]
        index = (self._next + torch.arange(observation.shape[1])) % capacity
        self.observation[:, index], self.action[:, index] = observation, action
        self._full = self._full or self._next + len(index) >= capacity
        self._next = (self._next + len(index)) % capacity
