"""Datasets from elsewhere: states rebuilt from what was recorded, and checked by simulating them."""

from __future__ import annotations

import json
from typing import Any

import mujoco
import numpy as np

from morphnet.bodies import Body
from morphnet.demonstrations.demonstration import Demonstration
from morphnet.errors import DemonstrationError
from morphnet.simulation import ControlScale

HIDDEN = {"Hopper": 1, "HalfCheetah": 1, "Walker2d": 1, "Swimmer": 2, "Ant": 2, "Humanoid": 2}
"""Gymnasium's runners: how many leading entries of qpos their observations leave out before qpos and qvel."""
CLIPPED = {"Hopper": 10.0, "Walker2d": 10.0}
"""Where observed velocities are clipped, and to what."""
TOLERANCE = 0.1
"""Largest error of simulated changes of velocity, relative to the recorded ones; another body's is near 1."""


def rebuild(episode: dict[str, Any], metadata: dict[str, Any], body: Body, where: str) -> Demonstration:
    """Rebuild a demonstration of ``body`` from an episode as Minari reads it.

    States are taken from ``infos/qpos`` and ``infos/qvel``, or from the observations of Gymnasium's MuJoCo
    runners; positions along the ground that these leave out are 0 where ``infos`` has none, as no policy
    observes them. Actions must be ctrl. That all this is so is checked by simulating every step.

    Raises:
        DemonstrationError: the states cannot be rebuilt, or do not follow from each other on this body.
    """
    if body.model.na:
        raise DemonstrationError(f"{where}: {body.name} has activations, which a dataset from elsewhere does not hold")
    qpos, qvel, known = _states(episode, metadata, body, where)
    action = as_numbers(episode["actions"], "actions", where)
    if action.ndim != 2 or action.shape[1] != body.model.nu:
        raise DemonstrationError(
            f"{where}: actions have shape {action.shape}; {body.name} has {body.model.nu} actuators"
        )
    scale = ControlScale(body.model)
    ctrl = np.clip(action, scale.low, scale.high)
    last_ctrl = np.concatenate([np.zeros((1, body.model.nu)), ctrl])
    rewards = as_numbers(episode["rewards"], "rewards", where)
    terminated = bool(np.any(episode["terminations"]))
    found = Demonstration(qpos, qvel, np.zeros((len(qpos), 0)), last_ctrl, rewards, terminated)
    found.check(body, where)
    _check_by_simulating(found, known, body, where)
    return found


def as_numbers(values: Any, what: str, where: str) -> np.ndarray:
    """Copy what a dataset holds to a float64 array.

    Raises:
        DemonstrationError: it is text, or a mapping as of a Dict space; ``what`` and ``where`` name it.
    """
    try:
        return np.array(values, np.float64)
    except (TypeError, ValueError):
        raise DemonstrationError(f"{where}: {what}: expected one array of numbers (a Box space)") from None


def _states(
    episode: dict[str, Any], metadata: dict[str, Any], body: Body, where: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """qpos, qvel, and which velocities are known (the others are clipped)."""
    infos = episode["infos"] or {}
    if isinstance(infos.get("qpos"), np.ndarray) and isinstance(infos.get("qvel"), np.ndarray):
        qvel = as_numbers(infos["qvel"], "infos/qvel", where)
        return as_numbers(infos["qpos"], "infos/qpos", where), qvel, np.ones(qvel.shape, bool)
    name, hidden = _runner(metadata, where)
    nq, nv = body.model.nq, body.model.nv
    observation = as_numbers(episode["observations"], "observations", where)
    if observation.ndim != 2 or observation.shape[1] < nq - hidden + nv:
        raise DemonstrationError(
            f"{where}: observations of {name} have shape {observation.shape}; {body.name}'s state has "
            f"{nq - hidden} + {nv} entries"
        )
    qpos = np.zeros((len(observation), nq))
    qpos[:, hidden:] = observation[:, : nq - hidden]
    for column, key in enumerate(("x_position", "y_position")[:hidden]):
        recorded = as_numbers(infos.get(key, ()), f"infos/{key}", where)
        if recorded.shape == (len(qpos),):
            qpos[:, column] = recorded
    qvel = observation[:, nq - hidden : nq - hidden + nv].copy()
    return qpos, qvel, np.abs(qvel) < CLIPPED.get(name, np.inf)


def _runner(metadata: dict[str, Any], where: str) -> tuple[str, int]:
    """Name of the Gymnasium runner that a dataset is of, and how many entries of qpos it hides."""
    try:
        spec = json.loads(metadata.get("env_spec") or "{}")
        name, keywords = str(spec.get("id", "")).split("-")[0], dict(spec.get("kwargs") or {})
    except (ValueError, TypeError, AttributeError):
        name, keywords = "", {}
    if name not in HIDDEN:
        raise DemonstrationError(
            f"{where}: its states cannot be rebuilt: there are no infos/qpos and infos/qvel, and observations hold "
            f"the state only for {', '.join(HIDDEN)}, not for {name or 'an unnamed environment'}"
        )
    return name, HIDDEN[name] if keywords.get("exclude_current_positions_from_observation", True) else 0


def _check_by_simulating(found: Demonstration, known: np.ndarray, body: Body, where: str) -> None:
    """Simulate every step from its recorded state; clipped velocities are replaced by simulated ones."""
    data = mujoco.MjData(body.model)
    errors, changes = np.zeros(len(found)), np.zeros(len(found))
    for t in range(len(found)):
        data.qpos[:], data.qvel[:], data.ctrl[:] = found.qpos[t], found.qvel[t], found.ctrl[t]
        mujoco.mj_step(body.model, data, body.frame_skip)
        seen = known[t + 1]
        found.qvel[t + 1][~seen] = data.qvel[~seen]
        errors[t] = np.abs(data.qvel - found.qvel[t + 1]).max()
        changes[t] = np.abs(found.qvel[t + 1] - found.qvel[t])[seen].max(initial=0.0)
    if not np.median(errors) <= TOLERANCE * np.median(changes) + 1e-9:
        raise DemonstrationError(
            f"{where}: its actions do not lead from state to state on {body.name} (one simulated control step is off "
            f"by {np.median(errors):.2g}, of {np.median(changes):.2g}): another body, actuator order or control step"
        )
