"""The compiled loops that judge a control step."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numba import types

from morphnet.simulation.compiled import inlined, owns, reads
from morphnet.simulation.observation_kernel import tip_coordinate
from morphnet.simulation.physics_kernel import CTRL, QPOS, QVEL, World, has_diverged, squared_external_forces

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
        ("contact_cost", np.float64),
        ("contact_force_limit", np.float64),
        ("contact_cost_limit", np.float64),
        ("control_step", np.float64),
        ("goal_tolerance", np.float64),
        ("goal_reward", np.float64),
        ("distance_cost", np.float64),
    ]
)
"""A task: ``velocity`` by its place in ``VELOCITIES``, addresses in qpos (-1: there is none), limits, weights."""
_ROOT, _BODY = 0, 1


class Episodes(NamedTuple):
    """The episodes of n simulations and what they are judged by, for compiled loops.

    Attributes:
        task: one ``TASK`` record.
        share: (nbody,) each body's share of the mass.
        command: (n, 2) where to run, or (n, 3) the point to reach (m).
        before: (n, 2) where they were a control step ago, in the world's xy plane (m).
        place: (n, 2) where they are: what is differentiated for the velocity.
        age: (n,) control steps of the episodes.
        returns: (n,) sums of their rewards.
    """

    task: np.ndarray
    share: np.ndarray
    command: np.ndarray
    before: np.ndarray
    place: np.ndarray
    age: np.ndarray
    returns: np.ndarray


EPISODES = types.NamedTuple(
    [owns(1, TASK), owns(1), owns(2), owns(2), owns(2), owns(1, types.int64), owns(1)],
    Episodes,
)


@inlined
def reads_stale(episodes: Episodes) -> bool:
    """Whether places or contacts are read from derived fields as ``mj_step`` leaves them."""
    return episodes.task[0].velocity != _ROOT or episodes.task[0].contact_cost > 0


@inlined
def find_place(world: World, episodes: Episodes, sim: int) -> None:
    """Write where a simulation is along its way, by its fields as they were last copied out."""
    rules, place = episodes.task[0], episodes.place
    if rules.velocity == _ROOT:
        place[sim, 0] = _coordinate(world.fields[QPOS], sim, rules.x)
        place[sim, 1] = _coordinate(world.fields[QPOS], sim, rules.y)
        return
    for axis in range(2):
        if rules.velocity == _BODY:
            place[sim, axis] = world.xpos[sim, rules.root, axis]
            continue
        mean = 0.0
        for body in range(len(episodes.share)):
            mean += episodes.share[body] * world.xipos[sim, body, axis]
        place[sim, axis] = mean


@inlined
def begin_episode(world: World, episodes: Episodes, sim: int) -> None:
    """Begin a new episode where a simulation is."""
    find_place(world, episodes, sim)
    for axis in range(2):
        episodes.before[sim, axis] = episodes.place[sim, axis]
    episodes.age[sim] = 0
    episodes.returns[sim] = 0.0


@inlined
def contact_cost(world: World, episodes: Episodes, sim: int) -> float:
    """Cost of external forces, read as Gymnasium reads them: after ``mj_step``, not forwarded."""
    rules = episodes.task[0]
    if rules.contact_cost == 0.0:
        return 0.0
    squares = squared_external_forces(world, sim, rules.contact_force_limit)
    return min(rules.contact_cost * squares, rules.contact_cost_limit)


@inlined
def judge(
    world: World, episodes: Episodes, tips: np.ndarray, sim: int, contact: float, terms: np.ndarray, ends: np.ndarray
) -> tuple[bool, bool]:
    """Judge the control step that a simulation has just made.

    Args:
        world: the physics; all fields belong to the state after the step.
        episodes: brought up to date.
        tips: as in ``Senses``.
        sim: which simulation.
        contact: its contact cost.
        terms: (5, n) to write the reward's terms to.
        ends: (2, n) to write terminated and truncated to.

    Returns:
        Whether the episode has ended, and whether the simulation has diverged.
    """
    rules, qpos, ctrl = episodes.task[0], world.fields[QPOS], world.fields[CTRL]
    diverged = has_diverged(world, sim) or not _all_below(qpos, sim, 0, np.inf)
    healthy = not diverged and _is_healthy(rules, sim, qpos, world.fields[QVEL], world.xmat)
    effort = 0.0
    for index in range(ctrl.shape[1]):
        effort += ctrl[sim, index] * ctrl[sim, index]
    for term in range(5):
        terms[term, sim] = 0.0
    if not diverged:
        if len(tips) == 0:
            terms[0, sim] = rules.forward_weight * (_advance(episodes, sim) / rules.control_step)
        else:
            distance = _distance(world, episodes, tips, sim)
            terms[0, sim] = -rules.distance_cost * distance
            terms[1, sim] = rules.goal_reward if distance < rules.goal_tolerance else 0.0
        terms[2, sim] = rules.healthy_reward if healthy else 0.0
        terms[3, sim] = -rules.ctrl_cost * effort
        terms[4, sim] = -contact
    for axis in range(2):
        episodes.before[sim, axis] = episodes.place[sim, axis]
    episodes.age[sim] += 1
    episodes.returns[sim] += total_reward(terms, sim)
    terminated = not healthy if rules.ends else diverged
    truncated = not terminated and episodes.age[sim] >= rules.max_episode_steps
    ends[0, sim], ends[1, sim] = terminated, truncated
    return terminated or truncated, diverged


@inlined
def total_reward(terms: np.ndarray, sim: int) -> float:
    """Sum of the terms, in the order of ``ReachReward.total``; without a goal it is that of ``Reward.total``."""
    return (((terms[0, sim] + terms[1, sim]) + terms[2, sim]) + terms[3, sim]) + terms[4, sim]


@inlined
def _advance(episodes: Episodes, sim: int) -> float:
    """How far a simulation has come in its direction (m)."""
    way = 0.0
    for axis in range(2):
        way += (episodes.place[sim, axis] - episodes.before[sim, axis]) * episodes.command[sim, axis]
    return way


@inlined
def _distance(world: World, episodes: Episodes, tips: np.ndarray, sim: int) -> float:
    """How far the tip is from the goal (m)."""
    square = 0.0
    for axis in range(3):
        off = episodes.command[sim, axis] - tip_coordinate(tips[0], sim, axis, world.xpos, world.xmat)
        square += off * off
    return math.sqrt(square)


HEALTH_SIGNATURE = (reads(1, TASK), reads(2), reads(2), reads(3))


def is_healthy(task: np.ndarray, qpos: np.ndarray, qvel: np.ndarray, xmat: np.ndarray) -> bool:
    """Whether the first state is within the limits of ``task``; all of the same simulations."""
    return _is_healthy(task[0], 0, qpos, qvel, xmat)


# The helpers below take whole arrays and indices: a slice costs more than what is read from it.


@inlined
def _is_healthy(rules: Any, sim: int, qpos: np.ndarray, qvel: np.ndarray, xmat: np.ndarray) -> bool:
    height, angle = _coordinate(qpos, sim, rules.z), _coordinate(qpos, sim, rules.pitch)
    if not rules.height[0] < height < rules.height[1] or not rules.angle[0] < angle < rules.angle[1]:
        return False
    upright = 0.0
    for axis in range(3):
        upright += xmat[sim, rules.root, 6 + axis] * rules.up[axis]
    limit = rules.state_limit
    return upright > rules.upright and _all_below(qpos, sim, 2, limit) and _all_below(qvel, sim, 0, limit)


@inlined
def _coordinate(qpos: np.ndarray, sim: int, address: int) -> float:
    return qpos[sim, address] if address >= 0 else 0.0


@inlined
def _all_below(values: np.ndarray, sim: int, first: int, limit: float) -> bool:
    """Whether the entries from ``first`` on are below ``limit`` in size; below infinity, whether they are finite."""
    below = True
    for index in range(first, values.shape[1]):
        below &= abs(values[sim, index]) < limit
    return below
