"""Replay: whether a simulation does what the demonstrations show."""

from __future__ import annotations

from collections.abc import Sequence

import mujoco
import numpy as np

from morphnet.bodies import Body
from morphnet.demonstrations import Demonstration

STEPS = 200
"""Demonstrated control steps that are simulated again."""


def replay_error(body: Body, demonstrations: Sequence[Demonstration]) -> float:
    """Mean error of the changes of velocity over a control step, relative to the demonstrated changes.

    0 where ``body`` is what was demonstrated; hidden changes (another mass, a dead actuator) show.
    """
    steps = [(demonstration, t) for demonstration in demonstrations for t in range(len(demonstration))]
    picked = np.unique(np.linspace(0, len(steps) - 1, STEPS).round().astype(int))
    data = mujoco.MjData(body.model)
    error = change = 0.0
    for demonstration, t in (steps[index] for index in picked):
        mujoco.mj_resetData(body.model, data)
        data.qpos[:], data.qvel[:], data.act[:] = demonstration.qpos[t], demonstration.qvel[t], demonstration.act[t]
        data.ctrl[:] = demonstration.ctrl[t]
        mujoco.mj_step(body.model, data, body.frame_skip)
        error += float(np.abs(data.qvel - demonstration.qvel[t + 1]).sum())
        change += float(np.abs(demonstration.qvel[t + 1] - demonstration.qvel[t]).sum())
    return error / max(change, 1e-12)
