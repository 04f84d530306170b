"""Judge: progress, rewards and ends of a control step, as the task defines them."""

from __future__ import annotations

import dataclasses

import mujoco
import numpy as np
from mujoco.batch import Batch

from morphnet.bodies import Body
from morphnet.bodies.task import VELOCITIES
from morphnet.simulation.compiled import compiled
from morphnet.simulation.judge_kernel import (
    HEALTH_SIGNATURE,
    JUDGE_SIGNATURE,
    PLACE_SIGNATURE,
    TASK,
    is_healthy,
    judge_step,
    write_places,
)
from morphnet.simulation.kinematics import Kinematics
from morphnet.simulation.reward import ReachReward, Reward

# the kernel knows them by these places, as constants that numba compiles in
assert VELOCITIES[:2] == ("root", "body"), "_ROOT and _BODY in judge_kernel.py must follow VELOCITIES"

_DIVERGED = np.array(
    [
        int(warning)
        for warning in (
            mujoco.mjtWarning.mjWARN_BADQPOS,
            mujoco.mjtWarning.mjWARN_BADQVEL,
            mujoco.mjtWarning.mjWARN_BADQACC,
        )
    ]
)


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What a control step of n simulations was worth, and how it ended.

    Attributes:
        reward: its terms.
        terminated: (n,) bool, the task's limits were left, or the physics diverged.
        truncated: (n,) bool, the episode reached its longest.
        ended: how many of them are either.
        diverged: how many diverged.
    """

    reward: Reward | ReachReward
    terminated: np.ndarray
    truncated: np.ndarray
    ended: int
    diverged: int


class Judge:
    """Keeps count of n simulations' episodes.

    Attributes:
        reads_stale: whether places are to be read from derived fields as ``mj_step`` leaves them, one substep
            behind the state.
        place: (n, 2) where each was at the last step's end, stale as it may be: Gymnasium's "before".
        age: (n,) control steps of its episode.
        returns: (n,) sum of its episode's rewards.
    """

    def __init__(self, body: Body, batch: Batch, kinematics: Kinematics) -> None:
        """Judge ``body``'s task on ``batch``."""
        count = int(batch.nsim)
        velocity = body.task.velocity
        self.reads_stale = velocity != "root"
        self.place, self._next_place = np.zeros((count, 2)), np.zeros((count, 2))
        self.age, self.returns = np.zeros(count, np.int64), np.zeros(count)
        self._task = _task_table(body)
        self._warning = batch.warning
        points = batch.bind("xipos") if velocity == "center_of_mass" else batch.bind("xpos")
        mass = body.model.body_mass
        self._place_fields = (self._task, kinematics.qpos, points, mass / mass.sum())
        self._state_fields = (self._task, kinematics.qpos, kinematics.qvel, kinematics.xmat, kinematics.ctrl)
        self._all = np.arange(count)
        self._write_places = compiled(write_places, *PLACE_SIGNATURE)
        self._judge_step = compiled(judge_step, *JUDGE_SIGNATURE)

    def start(self, sims: np.ndarray) -> None:
        """Begin new episodes of ``sims`` where they are."""
        self._write_places(*self._place_fields, sims, self.place)
        self.age[sims] = 0
        self.returns[sims] = 0.0

    def read_places(self) -> None:
        """Read where every simulation is now, for ``judge`` to compare with where it was."""
        self._write_places(*self._place_fields, self._all, self._next_place)

    def judge(self, command: np.ndarray, contact: np.ndarray) -> Verdict:
        """Judge the control step that was just made.

        Args:
            command: (n, 2) where to run.
            contact: (n,) contact costs.
        """
        count = len(self.age)
        terms, ends = np.empty((4, count)), np.empty((2, count), np.bool_)
        episodes = (self._next_place, self.place, self.age, self.returns)
        ended, diverged = self._judge_step(
            *self._state_fields, self._warning, _DIVERGED, command, contact, *episodes, terms, ends
        )
        return Verdict(Reward(*terms), ends[0], ends[1], ended, diverged)


def has_diverged(warning: np.ndarray, qpos: np.ndarray) -> np.ndarray:
    """(n,) bool: whose warnings (n, warnings, 2) or qpos (n, nq) tell of divergence."""
    found: np.ndarray = (warning[:, _DIVERGED, 1] != 0).any(axis=1) | ~np.isfinite(qpos).all(axis=1)
    return found


class Health:
    """Whether a state is within a body's limits."""

    def __init__(self, body: Body) -> None:
        """Read the limits that apply to ``body``."""
        self._task = _task_table(body)
        self._is_healthy = compiled(is_healthy, *HEALTH_SIGNATURE)

    def __call__(self, data: mujoco.MjData) -> bool:
        """Judge the state in ``data``, whose ``xmat`` is to belong to it."""
        return bool(self._is_healthy(self._task, data.qpos[None], data.qvel[None], data.xmat[None]))


def _task_table(body: Body) -> np.ndarray:
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
    return table
