"""Goals: points that a body's end effector can reach."""

from __future__ import annotations

import mujoco
import numpy as np

from morphnet.bodies import Body
from morphnet.errors import SimulationError
from morphnet.morphology.geometry import floor_height

MOST_TRIES = 1000


class GoalSampler:
    """Draws goals by putting the robot into random poses, and taking the place of its end effector there.

    Hinges and slides are drawn uniformly within their ranges, hinges without one from the whole circle; ball joints,
    slides without a range, and joints that only place the base stay where they start. Poses that reach below the floor
    are drawn again.
    """

    def __init__(self, body: Body) -> None:
        """Prepare for ``body``, whose task is to reach."""
        model, graph = body.model, body.graph
        self._model, self._name, self._data = model, body.name, mujoco.MjData(model)
        self._carrier, self._offset = body.end_effector
        self._fixed = body.task.goal
        self._bodies = graph.body_ids
        driven = graph.joint_ids[~np.isin(graph.joint_ids, graph.root_joint_ids)]
        kind, limited = model.jnt_type[driven], model.jnt_limited[driven].astype(bool)
        hinge, slide = kind == mujoco.mjtJoint.mjJNT_HINGE, kind == mujoco.mjtJoint.mjJNT_SLIDE
        drawn = hinge | (slide & limited)
        self._address = model.jnt_qposadr[driven[drawn]]
        whole_circle = np.where(hinge & ~limited, np.pi, 0.0)[drawn, None] * [-1.0, 1.0]
        self._low, self._high = np.where(limited[drawn, None], model.jnt_range[driven[drawn]], whole_circle).T
        planes = (model.geom_type == mujoco.mjtGeom.mjGEOM_PLANE) & (model.geom_bodyid == 0)
        mujoco.mj_kinematics(model, self._data)
        self._floor = floor_height(model, self._data) if planes.any() else -np.inf

    def draw(self, rng: np.random.Generator, count: int) -> np.ndarray:
        """Draw goals (count, 3) in the world (m); the task's own goal where it has one.

        Raises:
            SimulationError: nearly every pose is below the floor.
        """
        if self._fixed is not None:
            return np.tile(np.array(self._fixed), (count, 1))
        return np.array([self._draw_one(rng) for _ in range(count)]).reshape(count, 3)

    def _draw_one(self, rng: np.random.Generator) -> np.ndarray:
        data = self._data
        for _ in range(MOST_TRIES):
            data.qpos[self._address] = rng.uniform(self._low, self._high)
            mujoco.mj_kinematics(self._model, data)
            goal = data.xpos[self._carrier] + data.xmat[self._carrier].reshape(3, 3) @ self._offset
            if min(goal[2], data.xipos[self._bodies, 2].min()) > self._floor:
                return goal
        raise SimulationError(f"{self._name}: found no pose above the floor in {MOST_TRIES}; give the task a goal")
