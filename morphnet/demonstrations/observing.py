"""What a policy would have observed and done in a demonstration."""

from __future__ import annotations

from collections.abc import Sequence

import mujoco
import numpy as np

from morphnet.bodies import Body, Task
from morphnet.demonstrations.demonstration import Demonstration
from morphnet.errors import DemonstrationError
from morphnet.simulation import ControlScale, Kinematics, Observer, update_kinematics


def observations_of(body: Body, demonstration: Demonstration, task: Task | None = None) -> np.ndarray:
    """Observations (T + 1, D) float32 at a demonstration's states; as ``Policy.observe`` gives them, to the bit.

    Args:
        body: the demonstrated body.
        demonstration: states of it.
        task: what is wanted; what was wanted in the demonstration when None.

    Raises:
        DemonstrationError: a body that reaches, and no goal.
    """
    command = demonstration.goal if task is None and demonstration.goal is not None else (task or body.task).command
    if command is None:
        raise DemonstrationError(f"{body.name}: neither the task nor the demonstration has a goal")
    return Observer(body).observe(_kinematics(body.model, demonstration), np.array(command))


def pairs(
    body: Body, demonstrations: Sequence[Demonstration], task: Task | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Observations and what was done there, of all demonstrations in a row.

    Returns:
        Observations (N, D) float32 and actions (N, nu) float64 in [-1, 1] over the control ranges.

    Raises:
        DemonstrationError: there are none.
    """
    if not demonstrations:
        raise DemonstrationError(f"no demonstrations of {body.name}; at least one is needed")
    scale = ControlScale(body.model)
    observed = [observations_of(body, demonstration, task)[:-1] for demonstration in demonstrations]
    return np.concatenate(observed), scale.to_action(np.concatenate([d.ctrl for d in demonstrations]))


def _kinematics(model: mujoco.MjModel, demonstration: Demonstration) -> Kinematics:
    """Derived fields at every state of a demonstration."""
    data = mujoco.MjData(model)
    rows = []
    for qpos, qvel, act, ctrl in zip(
        demonstration.qpos, demonstration.qvel, demonstration.act, demonstration.last_ctrl, strict=True
    ):
        data.qpos[:], data.qvel[:], data.act[:], data.ctrl[:] = qpos, qvel, act, ctrl
        update_kinematics(model, data)
        rows.append(Kinematics.of_data(data).rows(np.array([0])))
    return Kinematics.stack(rows)
