"""The compiled part of starts: start states that wait are taken in order."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import types

from morphnet.simulation.compiled import inlined, owns
from morphnet.simulation.physics_kernel import CTRL, QPOS, World, clear, put


class Waiting(NamedTuple):
    """Start states that wait for episodes to begin, for compiled loops.

    Attributes:
        rows: (rows, width) qpos, qvel, act and ctrl of a start state, and the goal of a body that reaches.
        span: (2,) the row that comes next, and the first behind those that wait.
    """

    rows: np.ndarray
    span: np.ndarray


WAITING = types.NamedTuple([owns(2), owns(1, types.int64)], Waiting)


@inlined
def num_waiting(waiting: Waiting) -> int:
    """How many start states wait."""
    return waiting.span[1] - waiting.span[0]


@inlined
def take(waiting: Waiting, world: World, command: np.ndarray, sim: int) -> None:
    """Put a simulation at the start state that comes next, and tell it the goal that goes with it.

    Args:
        waiting: at least one start state.
        world: the physics; its derived fields are yet to be computed.
        command: (n, 2 or 3), left alone where there are no goals.
        sim: which simulation.
    """
    row, column = waiting.span[0], 0
    waiting.span[0] += 1
    clear(world, sim)
    for field in range(QPOS, CTRL + 1):
        for index in range(world.fields[field].shape[1]):
            put(world, sim, field, index, waiting.rows[row, column + index])
        column += world.fields[field].shape[1]
    for axis in range(waiting.rows.shape[1] - column):
        command[sim, axis] = waiting.rows[row, column + axis]
