"""The compiled loops that judge a control step."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types

from morphnet.simulation.compiled import helper, reads, writes

TASK = np.dtype(
    [
        ("velocity", np.int64),
        ("root", np.int64),
        ("x", np.int64),
        ("y", np.int64),
        ("z", np.int64),
        ("pitch", np.int64),
        ("height", np.float64, 2),
        ("angle", np.float64, 2),
        ("up", np.float64, 3),
        ("upright", np.float64),
        ("state_limit", np.float64),
        ("ends", np.int64),
        ("max_episode_steps", np.int64),
        ("forward_weight", np.float64),
        ("healthy_reward", np.float64),
        ("ctrl_cost", np.float64),
        ("control_step", np.float64),
    ]
)
"""A task: ``velocity`` by its place in ``VELOCITIES``, addresses in qpos (-1: there is none), limits, weights."""
_ROOT, _BODY = 0, 1

PLACE_SIGNATURE = (reads(1, TASK), reads(2), reads(3), reads(1), reads(1, types.int64), writes(2))


def write_places(
    task: np.ndarray, qpos: np.ndarray, points: np.ndarray, share: np.ndarray, sims: np.ndarray, out: np.ndarray
) -> None:
    """Write where simulations are along their way: what is differentiated for the velocity.

    Args:
        task: one ``TASK`` record.
        qpos: (n, nq).
        points: (n, nbody, 3) xpos or xipos, whichever the task's velocity is read from.
        share: (nbody,) each body's share of the mass.
        sims: which simulations.
        out: (n, 2) their places in the world's xy plane (m).
    """
    kind, root, x, y = task[0].velocity, task[0].root, task[0].x, task[0].y
    for sim in sims:
        if kind == _ROOT:
            out[sim, 0], out[sim, 1] = _coordinate(qpos, sim, x), _coordinate(qpos, sim, y)
            continue
        for axis in range(2):
            if kind == _BODY:
                out[sim, axis] = points[sim, root, axis]
                continue
            place = 0.0
            for body in range(len(share)):
                place += share[body] * points[sim, body, axis]
            out[sim, axis] = place


JUDGE_SIGNATURE = (
    reads(1, TASK),
    *(reads(dimensions) for dimensions in (2, 2, 3, 2)),
    reads(3, types.int32),
    reads(1, types.int64),
    *(reads(dimensions) for dimensions in (2, 1, 2)),
    writes(2),
    writes(1, types.int64),
    writes(1),
    writes(2),
    writes(2, types.boolean),
)


def judge_step(
    task: np.ndarray,
    qpos: np.ndarray,
    qvel: np.ndarray,
    xmat: np.ndarray,
    ctrl: np.ndarray,
    warning: np.ndarray,
    diverging: np.ndarray,
    direction: np.ndarray,
    contact: np.ndarray,
    next_place: np.ndarray,
    place: np.ndarray,
    age: np.ndarray,
    returns: np.ndarray,
    terms: np.ndarray,
    ends: np.ndarray,
) -> tuple[int, int]:
    """Judge a control step of n simulations.

    Args:
        task: one ``TASK`` record.
        qpos: (n, nq), this and the next three after the step, as in ``Kinematics``.
        qvel: (n, nv).
        xmat: (n, nbody, 9).
        ctrl: (n, nu).
        warning: (n, warnings, 2) MuJoCo's warnings since the episodes' starts; the counts are [..., 1].
        diverging: the warnings that tell of divergence.
        direction: (n, 2) where to run.
        contact: (n,) contact costs.
        next_place: (n, 2) where they are.
        place: (n, 2) where they were; brought up to date.
        age: (n,) control steps of the episodes; brought up to date.
        returns: (n,) sums of their rewards; brought up to date.
        terms: (4, n) to write the reward's terms to.
        ends: (2, n) to write terminated and truncated to.

    Returns:
        How many episodes have ended, and how many simulations have diverged.
    """
    rules = task[0]
    num_ended = num_diverged = 0
    for sim in range(len(age)):
        diverged = not _all_below(qpos, sim, 0, np.inf)
        for kind in diverging:
            diverged |= warning[sim, kind, 1] != 0
        healthy = not diverged and _is_healthy(rules, sim, qpos, qvel, xmat)
        velocity = effort = 0.0
        for axis in range(2):
            velocity += (next_place[sim, axis] - place[sim, axis]) * direction[sim, axis]
            place[sim, axis] = next_place[sim, axis]
        for index in range(ctrl.shape[1]):
            effort += ctrl[sim, index] * ctrl[sim, index]
        terms[:, sim] = 0.0
        if not diverged:
            terms[0, sim] = rules.forward_weight * (velocity / rules.control_step)
            terms[1, sim] = rules.healthy_reward if healthy else 0.0
            terms[2, sim] = -rules.ctrl_cost * effort
            terms[3, sim] = -contact[sim]
        age[sim] += 1
        returns[sim] += ((terms[0, sim] + terms[1, sim]) + terms[2, sim]) + terms[3, sim]
        terminated = not healthy if rules.ends else diverged
        truncated = not terminated and age[sim] >= rules.max_episode_steps
        ends[0, sim], ends[1, sim] = terminated, truncated
        num_ended += terminated or truncated
        num_diverged += diverged
    return num_ended, num_diverged


HEALTH_SIGNATURE = (reads(1, TASK), reads(2), reads(2), reads(3))


def is_healthy(task: np.ndarray, qpos: np.ndarray, qvel: np.ndarray, xmat: np.ndarray) -> bool:
    """Whether the first state is within the limits of ``task``; arguments as in ``judge_step``."""
    return _is_healthy(task[0], 0, qpos, qvel, xmat)


# The helpers below take whole arrays and indices: a slice costs more than what is read from it.


@helper
def _is_healthy(rules: Any, sim: int, qpos: np.ndarray, qvel: np.ndarray, xmat: np.ndarray) -> bool:
    height, angle = _coordinate(qpos, sim, rules.z), _coordinate(qpos, sim, rules.pitch)
    if not rules.height[0] < height < rules.height[1] or not rules.angle[0] < angle < rules.angle[1]:
        return False
    upright = 0.0
    for axis in range(3):
        upright += xmat[sim, rules.root, 6 + axis] * rules.up[axis]
    limit = rules.state_limit
    return upright > rules.upright and _all_below(qpos, sim, 2, limit) and _all_below(qvel, sim, 0, limit)


@helper
def _coordinate(qpos: np.ndarray, sim: int, address: int) -> float:
    return qpos[sim, address] if address >= 0 else 0.0


@helper
def _all_below(values: np.ndarray, sim: int, first: int, limit: float) -> bool:
    """Whether the entries from ``first`` on are below ``limit`` in size; below infinity, whether they are finite."""
    below = True
    for index in range(first, values.shape[1]):
        below &= abs(values[sim, index]) < limit
    return below
