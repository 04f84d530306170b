"""The compiled loop that writes observations: what the entries mean, in numbers.

Every simulation is written on its own, from its own state, by the same machine code: the same state gives the
same bits whether it is one of a thousand simulations or a single ``MjData``.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numba import types

from morphnet.simulation.compiled import helper, owns, reads, writes

LENGTH, SPEED, TURN = 1.0, 0.2, 0.1
"""Scales of positions (1/m), linear (s/m) and angular velocities (s/rad)."""
LIMIT = 10.0
"""Scaled entries are clipped to +- this, so that a crash cannot upset the running statistics."""

BODY = np.dtype([("body", np.int64), ("tree", np.int64)])
"""An observed body and the root of its kinematic tree."""
RANGED, TURNING, BALL = 0, 1, 2
"""How a joint's position is seen: over its range (slides without one: in metres), as sine and cosine, as a
quaternion."""
JOINT = np.dtype(
    [
        ("seen_as", np.int64),
        ("qpos", np.int64),
        ("dof", np.int64),
        ("centre", np.float64),
        ("half", np.float64),
        ("rate", np.float64),
    ]
)
"""An observed joint: its addresses, centre and half width of its range, and the scale of its velocity."""
ACTUATOR = np.dtype([("centre", np.float64), ("half", np.float64), ("act", np.int64)])
"""An actuator: its control range, and where in ``act`` its activation is, -1 without one."""

TIP = np.dtype([("body", np.int64), ("offset", np.float64, 3)])
"""What reaches for a goal: the body that carries it, and its place in that body's frame (m)."""

BODY_SLOTS, JOINT_SLOTS, ACTUATOR_SLOTS, TASK_SLOTS = 15, 10, 2, 8
FIRST_SLOT = 2
"""Slots are numbered from here: the root is written like any body, its height in place of its position's z, and
its position's x and y are no slots."""


class Senses(NamedTuple):
    """What of a body is observed.

    Attributes:
        bodies: ``BODY`` records, the root's first.
        joints: ``JOINT`` records.
        actuators: ``ACTUATOR`` records.
        tips: one ``TIP`` record of a body that reaches, none of one that runs.
        can_yaw: whether the body is seen from its heading.
        start_height: the root's height in the start pose (m).
        keep: the slots that are entries of the observation.
    """

    bodies: np.ndarray
    joints: np.ndarray
    actuators: np.ndarray
    tips: np.ndarray
    can_yaw: bool
    start_height: float
    keep: np.ndarray


SENSES = types.NamedTuple(
    [*(owns(1, table) for table in (BODY, JOINT, ACTUATOR, TIP)), types.boolean, types.float64, owns(1, types.int64)],
    Senses,
)
SIGNATURE = (
    SENSES,
    *(reads(2) for _ in ("qpos", "qvel", "act", "ctrl")),
    *(reads(3) for _ in ("xipos", "xmat", "xpos", "cvel", "subtree_com")),
    reads(2),
    reads(1, types.int64),
    owns(1),
    writes(2, types.float32),
)


def room_for_slots(senses: Senses) -> np.ndarray:
    """Make the array that ``write_observations`` works in."""
    tokens = len(senses.bodies) * BODY_SLOTS + len(senses.joints) * JOINT_SLOTS + len(senses.actuators) * ACTUATOR_SLOTS
    return np.zeros(tokens + TASK_SLOTS)


def write_observations(
    senses: Senses,
    qpos: np.ndarray,
    qvel: np.ndarray,
    act: np.ndarray,
    ctrl: np.ndarray,
    xipos: np.ndarray,
    xmat: np.ndarray,
    xpos: np.ndarray,
    cvel: np.ndarray,
    subtree_com: np.ndarray,
    command: np.ndarray,
    sims: np.ndarray,
    slots: np.ndarray,
    out: np.ndarray,
) -> None:
    """Observe the simulations ``sims``.

    Args:
        senses: what is observed.
        qpos: (n, nq), this and the next eight as in ``Kinematics``.
        qvel: (n, nv).
        act: (n, na).
        ctrl: (n, nu).
        xipos: (n, nbody, 3).
        xmat: (n, nbody, 9).
        xpos: (n, nbody, 3).
        cvel: (n, nbody, 6).
        subtree_com: (n, nbody, 3).
        command: (n, 2) where to run, or (n, 3) the point to reach (m), in the world.
        sims: which simulations.
        slots: (slots,) room to work in, zeros to begin with.
        out: (n, at least as many columns as ``keep``) float32; the rows ``sims`` are written.
    """
    bodies, joints, actuators, keep = senses.bodies, senses.joints, senses.actuators, senses.keep
    first_joint = len(bodies) * BODY_SLOTS
    first_actuator = first_joint + len(joints) * JOINT_SLOTS
    task = first_actuator + len(actuators) * ACTUATOR_SLOTS
    root = bodies[0].body
    for sim in sims:
        cos, sin = _heading(xmat[sim, root, 0], xmat[sim, root, 3]) if senses.can_yaw else (1.0, 0.0)
        for index in range(len(bodies)):
            body, at = bodies[index].body, index * BODY_SLOTS
            _write_pose(slots, at, cos, sin, sim, body, root, xipos, xpos, xmat)
            _write_velocity(slots, at + 9, cos, sin, sim, body, bodies[index].tree, xipos, subtree_com, cvel)
            if index > 0:
                for axis in range(9, 12):
                    slots[at + axis] -= slots[axis]
        slots[FIRST_SLOT] = (xpos[sim, root, 2] - senses.start_height) * LENGTH
        for index in range(len(joints)):
            _write_joint(slots, first_joint + index * JOINT_SLOTS, joints[index], sim, qpos, qvel)
        for index in range(len(actuators)):
            at = first_actuator + index * ACTUATOR_SLOTS
            slots[at] = _clip((ctrl[sim, index] - actuators[index].centre) / actuators[index].half, 1.0)
            if actuators[index].act >= 0:
                slots[at + 1] = act[sim, actuators[index].act]
        _write_command(slots, task, cos, sin, sim, root, senses.tips, command, xpos, xmat)
        for column in range(len(keep)):
            out[sim, column] = _clip(slots[keep[column]], LIMIT)


@helper
def _clip(value: float, limit: float) -> float:
    if value > limit:
        return limit
    return -limit if value < -limit else value  # not a number stays what it is


@helper
def _heading(x: float, y: float) -> tuple[float, float]:
    """Cosine and sine of the yaw: where the root's own x axis points, seen from above."""
    length = math.sqrt(x * x + y * y)
    if length < 1e-6:
        return 1.0, 0.0
    return x / length, y / length


@helper
def _write_vector(slots: Any, at: int, cos: float, sin: float, x: float, y: float, z: float, scale: float) -> None:
    """Write a vector of the world, turned about z into the heading frame."""
    slots[at] = (cos * x + sin * y) * scale
    slots[at + 1] = (cos * y - sin * x) * scale
    slots[at + 2] = z * scale


# The helpers below take whole arrays and indices: a slice costs more than what is read from it.


@helper
def _write_pose(
    slots: Any, at: int, cos: float, sin: float, sim: int, body: int, root: int, xipos: Any, xpos: Any, xmat: Any
) -> None:
    x = xipos[sim, body, 0] - xpos[sim, root, 0]
    y = xipos[sim, body, 1] - xpos[sim, root, 1]
    z = xipos[sim, body, 2] - xpos[sim, root, 2]
    _write_vector(slots, at, cos, sin, x, y, z, LENGTH)
    for column in range(2):
        x, y = xmat[sim, body, column], xmat[sim, body, 3 + column]
        slots[at + 3 + column] = cos * x + sin * y
        slots[at + 5 + column] = cos * y - sin * x
        slots[at + 7 + column] = xmat[sim, body, 6 + column]


@helper
def _write_velocity(
    slots: Any, at: int, cos: float, sin: float, sim: int, body: int, tree: int, xipos: Any, com: Any, cvel: Any
) -> None:
    """Write the velocity of a body's own centre of mass, and its angular velocity.

    ``cvel`` is expressed at the centre of mass of the whole tree (MuJoCo's com-based frame), so the velocity
    there is carried over to the body's own centre.
    """
    a, b, c = cvel[sim, body, 0], cvel[sim, body, 1], cvel[sim, body, 2]
    x = xipos[sim, body, 0] - com[sim, tree, 0]
    y = xipos[sim, body, 1] - com[sim, tree, 1]
    z = xipos[sim, body, 2] - com[sim, tree, 2]
    u = cvel[sim, body, 3] + (b * z - c * y)
    v = cvel[sim, body, 4] + (c * x - a * z)
    w = cvel[sim, body, 5] + (a * y - b * x)
    _write_vector(slots, at, cos, sin, u, v, w, SPEED)
    _write_vector(slots, at + 3, cos, sin, a, b, c, TURN)


@helper
def _write_joint(slots: Any, at: int, joint: Any, sim: int, qpos: Any, qvel: Any) -> None:
    address, dof = joint.qpos, joint.dof
    if joint.seen_as == BALL:
        sign = -1.0 if qpos[sim, address] < 0 else 1.0  # a quaternion and its negative are the same turn
        for part in range(4):
            slots[at + 3 + part] = sign * qpos[sim, address + part]
        for axis in range(3):
            slots[at + 7 + axis] = qvel[sim, dof + axis] * joint.rate
        return
    if joint.seen_as == RANGED:
        slots[at] = (qpos[sim, address] - joint.centre) / joint.half
    else:
        slots[at + 1], slots[at + 2] = math.sin(qpos[sim, address]), math.cos(qpos[sim, address])
    slots[at + 7] = qvel[sim, dof] * joint.rate


@helper
def _write_command(
    slots: Any, at: int, cos: float, sin: float, sim: int, root: int, tips: Any, command: Any, xpos: Any, xmat: Any
) -> None:
    """Write where to run; where there is a tip, where the goal is, seen from the root's origin and from the tip."""
    x, y = command[sim, 0], command[sim, 1]
    if len(tips) == 0:
        slots[at], slots[at + 1] = cos * x + sin * y, cos * y - sin * x
        return
    z, at = command[sim, 2], at + 2
    _write_vector(slots, at, cos, sin, x - xpos[sim, root, 0], y - xpos[sim, root, 1], z - xpos[sim, root, 2], LENGTH)
    x -= tip_coordinate(tips[0], sim, 0, xpos, xmat)
    y -= tip_coordinate(tips[0], sim, 1, xpos, xmat)
    z -= tip_coordinate(tips[0], sim, 2, xpos, xmat)
    _write_vector(slots, at + 3, cos, sin, x, y, z, LENGTH)


@helper
def tip_coordinate(tip: Any, sim: int, axis: int, xpos: Any, xmat: Any) -> float:
    """A coordinate of the tip in the world (m)."""
    value = xpos[sim, tip.body, axis]
    for column in range(3):
        value += xmat[sim, tip.body, 3 * axis + column] * tip.offset[column]
    return value
