"""Tasks as the compiled judge reads them: rewards, limits and ends."""

from __future__ import annotations

import mujoco
import numpy as np

from morphnet.bodies import Body
from morphnet.bodies.task import VELOCITIES
from morphnet.simulation.compiled import compiled
from morphnet.simulation.judge_kernel import HEALTH_SIGNATURE, TASK, Episodes, is_healthy

# the kernel knows them by these places, as constants that numba compiles in
assert VELOCITIES[:2] == ("root", "body"), "_ROOT and _BODY in judge_kernel.py must follow VELOCITIES"


def make_episodes(body: Body, num_sims: int, *, exact: bool) -> Episodes:
    """Make the table of ``num_sims`` episodes of ``body``'s task.

    Args:
        body: the body.
        num_sims: how many.
        exact: whether contact costs are part of them, where the task has them.
    """
    mass, reaches = body.model.body_mass, body.task.kind == "reach"
    command = np.zeros((num_sims, 3)) if reaches else np.tile(np.array(body.task.direction), (num_sims, 1))
    return Episodes(
        task=_task_table(body, exact=exact),
        share=mass / mass.sum(),
        command=command,
        before=np.zeros((num_sims, 2)),
        place=np.zeros((num_sims, 2)),
        age=np.zeros(num_sims, np.int64),
        returns=np.zeros(num_sims),
    )


class Health:
    """Whether a state is within a body's limits."""

    def __init__(self, body: Body) -> None:
        """Read the limits that apply to ``body``."""
        self._task = _task_table(body, exact=False)
        self._is_healthy = compiled(is_healthy, *HEALTH_SIGNATURE)

    def __call__(self, data: mujoco.MjData) -> bool:
        """Judge the state in ``data``, whose ``xmat`` is to belong to it."""
        return bool(self._is_healthy(self._task, data.qpos[None], data.qvel[None], data.xmat[None]))


def _task_table(body: Body, *, exact: bool) -> np.ndarray:
    """The task as one record; what has no limit has an infinite one."""
    task, base, model = body.task, body.base, body.model
    data = mujoco.MjData(model)
    mujoco.mj_kinematics(model, data)
    anywhere = (-np.inf, np.inf)
    height = task.height if task.height and base.z_qpos is not None else anywhere
    angle = task.angle if task.angle and base.pitch_qpos is not None else anywhere
    limits = (task.height, task.angle, task.tilt)
    table = np.zeros(1, TASK)
    table["velocity"], table["root"] = VELOCITIES.index(task.velocity), body.graph.root_body
    for name, address in (("x", base.x_qpos), ("y", base.y_qpos), ("z", base.z_qpos), ("pitch", base.pitch_qpos)):
        table[name] = -1 if address is None else address
    table["height"], table["angle"] = height, angle
    # the direction, in the root's own frame, that points up in the start pose
    table["up"] = data.xmat[body.graph.root_body].reshape(3, 3)[2]
    table["upright"] = -np.inf if task.tilt is None else np.cos(task.tilt)
    table["state_limit"] = task.state_limit
    # leaving the limits ends an episode wherever there are limits
    table["ends"] = any(limit is not None for limit in limits) or np.isfinite(task.state_limit)
    table["max_episode_steps"] = task.max_episode_steps
    table["forward_weight"], table["healthy_reward"] = task.forward_weight, task.healthy_reward
    table["ctrl_cost"], table["control_step"] = task.ctrl_cost, body.control_step
    table["contact_cost"] = task.contact_cost if exact else 0.0
    table["contact_force_limit"], table["contact_cost_limit"] = task.contact_force_limit, task.contact_cost_limit
    table["goal_tolerance"], table["goal_reward"] = task.goal_tolerance, task.goal_reward
    table["distance_cost"] = task.distance_cost
    return table
