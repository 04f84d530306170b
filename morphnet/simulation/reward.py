"""Rewards and terminations of the running task, over all simulations at once.

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
    """Terms of one control step, each (n,), float64; the reward is their sum."""

    forward: np.ndarray
    healthy: np.ndarray
    ctrl: np.ndarray
    contact: np.ndarray

    @property
    def total(self) -> np.ndarray:
        """(n,) sum of the terms."""
        return self.forward + self.healthy + self.ctrl + self.contact


class Progress:
    """Where a body is along its way: the quantity whose difference quotient is the velocity."""

    def __init__(self, body: Body, batch: Batch) -> None:
        """Bind what the task's ``velocity`` needs from ``batch``."""
        self._kind = body.task.velocity
        self._body, self._batch = body, batch
        if self.is_stale:
            self._field = batch.bind("xpos" if self._kind == "body" else "xipos")
        mass = body.model.body_mass
        self._weights = mass[:, None] / mass.sum()

    @property
    def is_stale(self) -> bool:
        """Whether the task reads derived fields as ``mj_step`` leaves them, one substep behind the state."""
        return self._kind != "root"

    def read(self) -> np.ndarray:
        """(n, 2) position in the world's xy plane (m), copied."""
        if self._kind == "body":
            return np.array(self._field[:, self._body.graph.root_body, :2])
        if self._kind == "center_of_mass":
            return np.sum(self._weights * self._field[:, :, :2], axis=1)
        base, qpos = self._body.base, self._batch.bind("qpos")
        xy = np.zeros((len(qpos), 2))
        for column, address in enumerate((base.x_qpos, base.y_qpos)):
            if address is not None:
                xy[:, column] = qpos[:, address]
        return xy


class Health:
    """Whether a state is within the task's limits."""

    def __init__(self, body: Body) -> None:
        """Read the limits that apply to ``body``."""
        self._task, self._base = body.task, body.base
        self._root = body.graph.root_body
        data = mujoco.MjData(body.model)
        mujoco.mj_kinematics(body.model, data)
        # the direction, in the root's own frame, that points up in the start pose
        self._up = np.array(data.xmat[self._root].reshape(3, 3)[2])

    def __call__(self, qpos: np.ndarray, qvel: np.ndarray, xmat: np.ndarray) -> np.ndarray:
        """(n,) bool for states (n, nq), (n, nv) with rotations xmat (n, nbody, 9)."""
        task, base = self._task, self._base
        healthy = np.isfinite(qpos).all(axis=1) & np.isfinite(qvel).all(axis=1)
        if task.height is not None and base.z_qpos is not None:
            healthy &= _within(qpos[:, base.z_qpos], task.height)
        if task.angle is not None and base.pitch_qpos is not None:
            healthy &= _within(qpos[:, base.pitch_qpos], task.angle)
        if task.tilt is not None:
            healthy &= np.sum(xmat[:, self._root, 6:9] * self._up, axis=1) > np.cos(task.tilt)
        if np.isfinite(task.state_limit):
            limit = task.state_limit
            healthy &= (np.abs(qpos[:, 2:]) < limit).all(axis=1) & (np.abs(qvel) < limit).all(axis=1)
        return healthy


def _within(values: np.ndarray, limits: tuple[float, float]) -> np.ndarray:
    return (limits[0] < values) & (values < limits[1])


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
