"""Rewards: their terms, and contact costs.

With a task that copies a Gymnasium v5 environment they equal that environment's, term by term.
"""

from __future__ import annotations

import dataclasses

import mujoco
import numpy as np
from mujoco.batch import Batch

from morphnet.bodies import Body


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


class ContactCost:
    """Cost of external forces, from ``cfrc_ext`` as Gymnasium reads it: after ``mj_step``, not forwarded.

    A Batch does not compute ``cfrc_ext``, so each simulation's data is copied out and finished: exact, and
    too slow for training.
    """

    def __init__(self, body: Body, batch: Batch) -> None:
        """Prepare scratch data for ``body``."""
        self._body, self._batch = body, batch
        self._data = mujoco.MjData(body.model)

    def __call__(self) -> np.ndarray:
        """(n,) cost at the state that the last step left."""
        task, model = self._body.task, self._body.model
        cost = np.zeros(self._batch.nsim)
        for sim in range(self._batch.nsim):
            self._batch.get_data(sim, self._data)
            mujoco.mj_rnePostConstraint(model, self._data)
            force = np.clip(self._data.cfrc_ext, -task.contact_force_limit, task.contact_force_limit)
            cost[sim] = min(task.contact_cost * float(np.sum(np.square(force))), task.contact_cost_limit)
        return cost
