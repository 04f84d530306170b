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
        self._taken = 0

    def __len__(self) -> int:
        """Number of steps a body that it holds."""
        return min(self._taken, self.observation.shape[1])

    def add(self, observation: Tensor, action: Tensor) -> None:
        """Take in (B, n, ...) steps in place of the oldest."""
        capacity = self.observation.shape[1]
        index = (self._taken + torch.arange(observation.shape[1])) % capacity
        self.observation[:, index], self.action[:, index] = observation, action
        self._taken += len(index)

    def state_dict(self) -> dict[str, Tensor]:
        """What it holds, and how many steps it has taken in."""
        held = slice(len(self))
        taken = torch.tensor(self._taken)
        return {"observation": self.observation[:, held], "action": self.action[:, held], "taken": taken}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Take back what ``state_dict`` returned."""
        self._taken = int(state["taken"])
        held = slice(len(self))
        self.observation[:, held], self.action[:, held] = state["observation"], state["action"]
