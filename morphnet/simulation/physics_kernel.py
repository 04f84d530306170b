"""The compiled part of physics: what is done to one simulation's ``MjData``."""

from __future__ import annotations

from typing import NamedTuple

import mujoco
import numpy as np
from numba import types

from morphnet.simulation.compiled import inlined, owns
from morphnet.simulation.kinematics import FIELDS
from morphnet.simulation.native import (
    COM_POS,
    COM_VEL,
    EXTERNAL_FORCES,
    KINEMATICS,
    RESET,
    STEP,
    call,
    read,
    read_int,
    write,
    write_int,
)

MODEL, DATA, WARNINGS, FORCES, FIRST_FIELD = range(5)
"""Columns of ``World.handles``: addresses of the model, the data, its warnings, its ``cfrc_ext`` and its fields."""
QPOS, QVEL, ACT, CTRL = (FIELDS.index(name) for name in ("qpos", "qvel", "act", "ctrl"))
QUIET = 1 << 20
"""What counts of warnings start from. MuJoCo prints a warning, into a file too, when its count was 0; the reset
that it makes when a simulation diverges sets counts to 0 or 1, which is how divergence shows."""
NUM_WARNINGS = int(mujoco.mjtWarning.mjNWARNING)
_WARNING_INTS = 2
"""An ``mjWarningStat`` is two ints, of which ``handles`` point at the first count."""


class World(NamedTuple):
    """Simulations of one model, for compiled loops.

    Attributes:
        functions: addresses of ``native.FUNCTIONS``.
        handles: (n, addresses), see ``MODEL`` and the others.
        fields: the fields of ``kinematics.FIELDS`` (n, width each), which ``copy_out`` brings up to date.
        xipos, xmat, xpos, cvel, subtree_com: some of them again, (n, nbody, ...).
        diverging: the warnings that tell of divergence.
        frame_skip: physics steps a control step.
    """

    functions: np.ndarray
    handles: np.ndarray
    fields: tuple[np.ndarray, ...]
    xipos: np.ndarray
    xmat: np.ndarray
    xpos: np.ndarray
    cvel: np.ndarray
    subtree_com: np.ndarray
    diverging: np.ndarray
    frame_skip: int


WORLD = types.NamedTuple(
    [
        owns(1, types.int64),
        owns(2, types.int64),
        types.UniTuple(owns(2), len(FIELDS)),
        *(owns(3) for _ in ("xipos", "xmat", "xpos", "cvel", "subtree_com")),
        owns(1, types.int64),
        types.int64,
    ],
    World,
)


@inlined
def advance(world: World, sim: int) -> None:
    """Make the physics steps of a control step; derived fields are left one step behind the state.

    A simulation that diverges is left where MuJoCo has reset it.
    """
    for _ in range(world.frame_skip):
        _call(world, sim, STEP)
        if has_diverged(world, sim):
            return


@inlined
def derive(world: World, sim: int) -> None:
    """Compute the derived fields of ``kinematics.FIELDS`` at the state; ``update_kinematics`` does the same."""
    _call(world, sim, KINEMATICS)
    _call(world, sim, COM_POS)
    _call(world, sim, COM_VEL)


@inlined
def clear(world: World, sim: int) -> None:
    """Put a simulation at the model's start state."""
    _call(world, sim, RESET)
    silence(world, sim)


@inlined
def silence(world: World, sim: int) -> None:
    """Set the counts of warnings back."""
    for kind in range(NUM_WARNINGS):
        write_int(world.handles[sim, WARNINGS], _WARNING_INTS * kind, np.int32(QUIET))


@inlined
def has_diverged(world: World, sim: int) -> bool:
    """Whether MuJoCo has met a bad state or acceleration since the warnings were set back."""
    diverged = False
    for kind in world.diverging:
        diverged |= read_int(world.handles[sim, WARNINGS], _WARNING_INTS * kind) != QUIET
    return diverged


@inlined
def copy_out(world: World, sim: int) -> None:
    """Copy the fields of ``kinematics.FIELDS`` from the simulation's ``MjData`` to its rows."""
    for field in range(len(world.fields)):
        row, address = world.fields[field], world.handles[sim, FIRST_FIELD + field]
        for index in range(row.shape[1]):
            row[sim, index] = read(address, index)


@inlined
def put(world: World, sim: int, field: int, index: int, value: float) -> None:
    """Write a number of a state field, into its ``MjData`` alone."""
    write(world.handles[sim, FIRST_FIELD + field], index, value)


@inlined
def squared_external_forces(world: World, sim: int, limit: float) -> float:
    """Sum of the squares of ``cfrc_ext`` as ``mj_step`` leaves it, each entry clipped to +- ``limit``."""
    _call(world, sim, EXTERNAL_FORCES)
    total = 0.0
    for index in range(6 * world.xpos.shape[1]):
        force = min(max(read(world.handles[sim, FORCES], index), -limit), limit)
        total += force * force
    return total


@inlined
def _call(world: World, sim: int, function: int) -> None:
    call(world.functions[function], world.handles[sim, MODEL], world.handles[sim, DATA])
