"""Rewards: their terms.

With a task that copies a Gymnasium v5 environment they equal that environment's, term by term.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from morphnet.bodies import Task


@dataclasses.dataclass
class Reward:
    """Terms of one control step of running, each (n,), float64; the reward is their sum."""

    forward: np.ndarray
    healthy: np.ndarray
    ctrl: np.ndarray
    contact: np.ndarray

    @property
    def total(self) -> np.ndarray:
        """(n,) sum of the terms."""
        return self.forward + self.healthy + self.ctrl + self.contact


@dataclasses.dataclass
class ReachReward:
    """Terms of one control step towards a goal, each (n,), float64; the reward is their sum."""

    distance: np.ndarray
    goal: np.ndarray
    healthy: np.ndarray
    ctrl: np.ndarray
    contact: np.ndarray

    @property
    def total(self) -> np.ndarray:
        """(n,) sum of the terms."""
        return self.distance + self.goal + self.healthy + self.ctrl + self.contact


def reward_of(task: Task, terms: np.ndarray) -> Reward | ReachReward:
    """Name the terms (5, n) that the compiled judge has written."""
    return ReachReward(*terms) if task.kind == "reach" else Reward(terms[0], *terms[2:])
