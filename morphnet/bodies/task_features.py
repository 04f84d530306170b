"""What the task token tells the encoder: the task's numbers, squashed to order one."""

from __future__ import annotations

import math

import mujoco
import numpy as np

from morphnet.bodies.body import Body

TASK_FEATURES = 21
"""How many there are."""
_NO_LIMIT = 3.0
"""Stands for a limit that is not there; well outside the values of real limits."""


def task_features(body: Body) -> np.ndarray:
    """(1, TASK_FEATURES) float32 features of a body's task token."""
    return np.array([[value for _, value in _named_features(body)]], np.float32)


def _named_features(body: Body) -> list[tuple[str, float]]:
    task, option = body.task, body.model.opt
    start = body.model.qpos0[body.base.z_qpos] if body.base.z_qpos is not None else 0.0
    low, high = _limits(task.height, start)
    pitch_low, pitch_high = _limits(task.angle, 0.0)
    return [
        ("forward weight", task.forward_weight),
        ("healthy reward", task.healthy_reward / 2),
        ("log ctrl cost", math.log10(task.ctrl_cost + 1e-5) / 4 + 1),
        ("log horizon", -math.log10(1.0 - min(task.discount, 1 - 1e-5)) - 2),
        ("control step (s x 20)", body.control_step * 20),
        ("lowest height over start (m)", low),
        ("highest height over start (m)", high),
        ("lowest angle (rad)", pitch_low),
        ("highest angle (rad)", pitch_high),
        ("tilt (rad)", _NO_LIMIT if task.tilt is None else task.tilt),
        ("start noise x 10", task.qpos_noise * 10),
        ("gravity (g)", -float(option.gravity[2]) / 9.81),
        ("log fluid density", math.log10(1 + float(option.density)) / 3),
        ("root can yaw", float(body.base.can_yaw)),
        *_reach_features(body),  # appended: older checkpoints have no weights for them
    ]


def _reach_features(body: Body) -> list[tuple[str, float]]:
    """All 0 for a body that runs."""
    task, place = body.task, np.zeros(3)
    reaches = task.kind == "reach"
    if reaches:
        data = mujoco.MjData(body.model)
        mujoco.mj_kinematics(body.model, data)
        carrier, offset = body.end_effector
        place = data.xpos[carrier] + data.xmat[carrier].reshape(3, 3) @ offset - data.xpos[body.graph.root_body]
    return [
        ("reaches", float(reaches)),
        ("goal reward", reaches * task.goal_reward),
        ("distance cost (1/m)", reaches * task.distance_cost),
        ("log goal tolerance", reaches * (math.log10(task.goal_tolerance) + 1.0)),
        *((f"end effector from root {axis} (m)", float(value)) for axis, value in zip("xyz", place, strict=True)),
    ]


def _limits(limits: tuple[float, float] | None, origin: float) -> tuple[float, float]:
    """Limits relative to ``origin``, clipped to what stands for none."""
    low, high = limits if limits is not None else (-math.inf, math.inf)
    return max(low - origin, -_NO_LIMIT), min(high - origin, _NO_LIMIT)


def task_feature_names(body: Body) -> tuple[str, ...]:
    """Names and units of the features, in order."""
    return tuple(name for name, _ in _named_features(body))
