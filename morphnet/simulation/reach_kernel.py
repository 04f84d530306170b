"""The compiled loop that judges how near the end effectors are to their goals."""

from __future__ import annotations

import math

import numpy as np
from numba import types

from morphnet.simulation.compiled import reads, writes
from morphnet.simulation.observation_kernel import TIP, tip_coordinate

RULES = np.dtype([("tolerance", np.float64), ("goal_reward", np.float64), ("distance_cost", np.float64)])
"""What a task says of distances: in m, a step, and a metre and step."""

SIGNATURE = (
    reads(1, RULES),
    reads(1, TIP),
    *(reads(dimensions) for dimensions in (3, 3, 2)),
    reads(1, types.boolean),
    writes(1),
    writes(2),
)


def judge_distances(
    rules: np.ndarray,
    tips: np.ndarray,
    xpos: np.ndarray,
    xmat: np.ndarray,
    goal: np.ndarray,
    diverged: np.ndarray,
    returns: np.ndarray,
    terms: np.ndarray,
) -> None:
    """Judge where n end effectors are.

    Args:
        rules: one ``RULES`` record.
        tips: one ``TIP`` record.
        xpos: (n, nbody, 3), as in ``Kinematics``.
        xmat: (n, nbody, 9).
        goal: (n, 3) m, in the world.
        diverged: (n,) those that are worth nothing.
        returns: (n,) sums of the episodes' rewards; brought up to date.
        terms: (2, n) to write to: minus the cost of the distance, and the reward of having reached the goal.
    """
    for sim in range(len(returns)):
        square = 0.0
        for axis in range(3):
            off = goal[sim, axis] - tip_coordinate(tips[0], sim, axis, xpos, xmat)
            square += off * off
        distance = math.sqrt(square)
        terms[0, sim] = 0.0 if diverged[sim] else -rules[0].distance_cost * distance
        terms[1, sim] = rules[0].goal_reward if distance < rules[0].tolerance and not diverged[sim] else 0.0
        returns[sim] += terms[0, sim] + terms[1, sim]
