"""Observations: what an actor reads, as a function of state, last control and task alone.

An observation is a flat vector. Each entry belongs to a token of the morphology graph (root, body, joint,
actuator or task) and to one slot of that kind of token; ``ObservationLayout`` says which. Slots that cannot
vary on a body (the sideways velocity of a planar robot) are left out, so that a policy has exactly the inputs
its robot needs.

Only elementwise arithmetic is used: the same state gives the same bits whether it is one of a thousand
simulations or a single ``MjData``.
"""

from __future__ import annotations

import dataclasses

import mujoco
import numpy as np

from morphnet.bodies import Body
from morphnet.morphology.transmission import control_owners
from morphnet.simulation.control import ControlScale
from morphnet.simulation.kinematics import Kinematics, update_kinematics

LENGTH, SPEED, TURN = 1.0, 0.2, 0.1
"""Scales of positions (1/m), linear (s/m) and angular velocities (s/rad)."""
LIMIT = 10.0
"""Scaled entries are clipped to +- this, so that a crash cannot upset the running statistics."""

_VECTOR = ("x", "y", "z")
_ROTATION = ("xx", "xy", "yx", "yy", "zx", "zy")
"""First two columns of a rotation matrix, row by row (Zhou et al. 2019, continuous 6D rotations)."""

SLOTS: dict[str, tuple[str, ...]] = {
    "root": (
        "height",
        *(f"orientation_{a}" for a in _ROTATION),
        *(f"velocity_{a}" for a in _VECTOR),
        *(f"angular_velocity_{a}" for a in _VECTOR),
    ),
    "body": (
        *(f"position_{a}" for a in _VECTOR),
        *(f"orientation_{a}" for a in _ROTATION),
        *(f"velocity_{a}" for a in _VECTOR),
        *(f"angular_velocity_{a}" for a in _VECTOR),
    ),
    "joint": (
        "position",
        "sine",
        "cosine",
        "quat_w",
        "quat_x",
        "quat_y",
        "quat_z",
        "velocity_x",
        "velocity_y",
        "velocity_z",
    ),
    "actuator": ("control", "activation"),
    "task": ("direction_x", "direction_y"),
}
"""Slots of each kind of observing token."""

KINDS = tuple(SLOTS)


@dataclasses.dataclass(frozen=True, eq=False)
class ObservationLayout:
    """Which entry of an observation is what.

    Attributes:
        kind: (size,) index into ``KINDS``.
        token: (size,) index of the token among those of its kind, in the morphology graph's order; root and
            task have one token each.
        slot: (size,) index into ``SLOTS[kind]``.
        names: (size,) readable names, ``kind/token name/slot``.
    """

    kind: np.ndarray
    token: np.ndarray
    slot: np.ndarray
    names: tuple[str, ...]

    @property
    def size(self) -> int:
        """Number of entries."""
        return len(self.names)


class Observer:
    """Turns states of one body into observations."""

    def __init__(self, body: Body) -> None:
        """Fix the layout of ``body``; costs a dozen evaluations of its kinematics."""
        self._body = body
        graph, model = body.graph, body.model
        self._root = graph.root_body
        moving = np.flatnonzero((model.body_dofnum[graph.body_ids] > 0) & (graph.body_ids != self._root))
        # the root first: it is observed like the others, but for where it is seen from
        self._bodies = np.concatenate([[self._root], graph.body_ids[moving]])
        self._trees = model.body_rootid[self._bodies]
        self._joints = _JointReader(body)
        self._controls = ControlScale(model)
        owners = control_owners(model)
        self._activated = np.flatnonzero(model.actuator_actnum[owners] > 0)
        last = model.actuator_actadr + model.actuator_actnum - 1
        self._activation = last[owners[self._activated]]
        self._start_height = float(_start_position(model)[self._root, 2])
        full = _full_layout(body, moving, self._joints.tokens)
        keep = np.flatnonzero(self._varying(full.size))
        self._keep = keep
        self.layout = ObservationLayout(
            full.kind[keep], full.token[keep], full.slot[keep], tuple(full.names[k] for k in keep)
        )

    @property
    def size(self) -> int:
        """Number of entries of an observation."""
        return self.layout.size

    def observe(self, kinematics: Kinematics, direction: np.ndarray) -> np.ndarray:
        """Observe n simulations.

        Args:
            kinematics: their states; all fields at the same instant.
            direction: (n, 2) or (2,) unit vector in the world in which to run.

        Returns:
            (n, size) float32.
        """
        return self._all_slots(kinematics, direction)[:, self._keep].astype(np.float32)

    def _all_slots(self, k: Kinematics, direction: np.ndarray) -> np.ndarray:
        n = len(k.qpos)
        heading = self._heading(k) if self._body.base.can_yaw else None
        seen = self._seen_bodies(k, heading)
        seen[:, 1:, 9:12] -= seen[:, :1, 9:12]
        height = (k.xpos[:, self._root, 2:3] - self._start_height) * LENGTH
        columns = [
            height,
            seen[:, 0, 3:],
            seen[:, 1:].reshape(n, -1),
            self._joints.read(k.qpos, k.qvel).reshape(n, -1),
            self._actuator_slots(k).reshape(n, -1),
            _turn_command(np.broadcast_to(direction, (n, 2)), heading),
        ]
        return np.clip(np.concatenate(columns, axis=1), -LIMIT, LIMIT)

    def _heading(self, k: Kinematics) -> tuple[np.ndarray, np.ndarray]:
        """Cosine and sine of the root's yaw, each (n, 1): where its own x axis points, seen from above."""
        x, y = k.xmat[:, self._root, 0:1], k.xmat[:, self._root, 3:4]
        length = np.sqrt(x * x + y * y)
        vertical = length < 1e-6
        length = np.where(vertical, 1.0, length)
        return np.where(vertical, 1.0, x / length), np.where(vertical, 0.0, y / length)

    def _seen_bodies(self, k: Kinematics, heading: tuple[np.ndarray, np.ndarray] | None) -> np.ndarray:
        """(n, 1 + moving bodies, 15) in the order of ``SLOTS["body"]``, velocities not yet relative to the root.

        ``cvel`` is expressed at the centre of mass of the whole tree (MuJoCo's com-based frame), so the
        velocity there is carried over to each body's own centre.
        """
        bodies = self._bodies
        xipos, xmat, cvel = k.xipos[:, bodies], k.xmat[:, bodies], k.cvel[:, bodies]
        angular = cvel[..., :3]
        linear = cvel[..., 3:] + _cross(angular, xipos - k.subtree_com[:, self._trees])
        seen = np.empty((len(xipos), len(bodies), len(SLOTS["body"])))
        seen[..., 0:3] = _turn(xipos - k.xpos[:, self._root, None], heading) * LENGTH
        _turn_rotation(xmat, heading, seen[..., 3:9])
        seen[..., 9:12] = _turn(linear, heading) * SPEED
        seen[..., 12:15] = _turn(angular, heading) * TURN
        return seen

    def _actuator_slots(self, k: Kinematics) -> np.ndarray:
        """(n, nu, 2): the last control over its range, and the activation of actuators that have one."""
        control = self._controls.to_action(k.ctrl)
        slots = np.zeros((*control.shape, len(SLOTS["actuator"])))
        slots[..., 0] = control
        slots[:, self._activated, 1] = k.act[:, self._activation]
        return slots

    def _varying(self, size: int) -> np.ndarray:
        """Which slots can vary at all, judged at random states, controls and directions; (size,) bool."""
        rng = np.random.default_rng(0)
        model = self._body.model
        data = mujoco.MjData(model)
        low, high = np.full(size, np.inf), np.full(size, -np.inf)
        for _ in range(12):
            _random_state(model, data, self._controls, rng)
            update_kinematics(model, data)
            angle = rng.uniform(-np.pi, np.pi)
            slots = self._all_slots(Kinematics.of_data(data), np.array([np.cos(angle), np.sin(angle)]))[0]
            low, high = np.minimum(low, slots), np.maximum(high, slots)
        return high - low > 1e-6


class _JointReader:
    """Reads positions and velocities of the joints that an actor observes: all but the root's own."""

    def __init__(self, body: Body) -> None:
        model, graph = body.model, body.graph
        observed = ~np.isin(graph.joint_ids, graph.root_joint_ids)
        free = model.jnt_type[graph.joint_ids] == mujoco.mjtJoint.mjJNT_FREE
        self.tokens = np.flatnonzero(observed & ~free)
        ids = graph.joint_ids[self.tokens]
        kind = model.jnt_type[ids]
        limited = model.jnt_limited[ids].astype(bool)
        self._count = len(ids)
        self._ball = np.flatnonzero(kind == mujoco.mjtJoint.mjJNT_BALL)
        scalar = kind != mujoco.mjtJoint.mjJNT_BALL
        self._ranged = np.flatnonzero(scalar & (limited | (kind == mujoco.mjtJoint.mjJNT_SLIDE)))
        self._turning = np.flatnonzero(scalar & ~limited & (kind == mujoco.mjtJoint.mjJNT_HINGE))
        self._scalar = np.flatnonzero(scalar)
        self._qpos, self._dof = model.jnt_qposadr[ids], model.jnt_dofadr[ids]
        low, high = np.where(limited[:, None], model.jnt_range[ids], [-1.0, 1.0]).T
        self._centre, self._half = (low + high) / 2, np.maximum((high - low) / 2, 1e-6)
        self._rate = np.where(kind == mujoco.mjtJoint.mjJNT_SLIDE, SPEED, TURN)

    def read(self, qpos: np.ndarray, qvel: np.ndarray) -> np.ndarray:
        """(n, joints, slots)."""
        slots = np.zeros((len(qpos), self._count, len(SLOTS["joint"])))
        ranged, turning, scalar, ball = self._ranged, self._turning, self._scalar, self._ball
        slots[:, ranged, 0] = (qpos[:, self._qpos[ranged]] - self._centre[ranged]) / self._half[ranged]
        slots[:, turning, 1] = np.sin(qpos[:, self._qpos[turning]])
        slots[:, turning, 2] = np.cos(qpos[:, self._qpos[turning]])
        slots[:, scalar, 7] = qvel[:, self._dof[scalar]] * self._rate[scalar]
        if len(ball):
            quat = qpos[:, self._qpos[ball][:, None] + np.arange(4)]
            slots[:, ball, 3:7] = quat * np.where(quat[..., :1] < 0, -1.0, 1.0)
            slots[:, ball, 7:10] = qvel[:, self._dof[ball][:, None] + np.arange(3)] * TURN
        return slots


def _full_layout(body: Body, moving: np.ndarray, joints: np.ndarray) -> ObservationLayout:
    graph = body.graph
    tokens = {
        "root": [(0, "root")],
        "body": [(int(i), graph.body_names[i]) for i in moving],
        "joint": [(int(i), graph.joint_names[i]) for i in joints],
        "actuator": [(i, graph.actuator_names[i]) for i in range(graph.num_actuators)],
        "task": [(0, "task")],
    }
    rows = [
        (kind, token, slot, f"{name}/{label}/{slot_name}")
        for kind, name in enumerate(KINDS)
        for token, label in tokens[name]
        for slot, slot_name in enumerate(SLOTS[name])
    ]
    kind, token, slot, names = zip(*rows, strict=True)
    return ObservationLayout(np.array(kind), np.array(token), np.array(slot), names)


def _random_state(model: mujoco.MjModel, data: mujoco.MjData, controls: ControlScale, rng: np.random.Generator) -> None:
    mujoco.mj_resetData(model, data)
    # a velocity integrated for a second moves every joint within its own kind of space (quaternions too)
    mujoco.mj_integratePos(model, data.qpos, rng.normal(size=model.nv), 1.0)
    data.qvel[:] = rng.normal(size=model.nv)
    data.ctrl[:] = controls.to_ctrl(rng.uniform(-1, 1, model.nu))
    data.act[:] = rng.uniform(0, 1, model.na)


def _start_position(model: mujoco.MjModel) -> np.ndarray:
    data = mujoco.MjData(model)
    mujoco.mj_kinematics(model, data)
    return np.array(data.xpos)


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    ax, ay, az = a[..., 0], a[..., 1], a[..., 2]
    bx, by, bz = b[..., 0], b[..., 1], b[..., 2]
    return np.stack([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx], axis=-1)


def _turn(vectors: np.ndarray, heading: tuple[np.ndarray, np.ndarray] | None) -> np.ndarray:
    """Rotate world vectors (n, m, 3) about z into the heading frame; nothing to do without a heading."""
    if heading is None:
        return vectors
    cos, sin = heading
    x, y = vectors[..., 0], vectors[..., 1]
    return np.stack([cos * x + sin * y, cos * y - sin * x, vectors[..., 2]], axis=-1)


def _turn_command(vectors: np.ndarray, heading: tuple[np.ndarray, np.ndarray] | None) -> np.ndarray:
    """Rotate world vectors (n, 2) about z into the heading frame."""
    if heading is None:
        return vectors
    cos, sin = heading
    x, y = vectors[:, 0:1], vectors[:, 1:2]
    return np.concatenate([cos * x + sin * y, cos * y - sin * x], axis=1)


def _turn_rotation(xmat: np.ndarray, heading: tuple[np.ndarray, np.ndarray] | None, out: np.ndarray) -> None:
    """Write the first two columns of rotation matrices (n, m, 9), seen from the heading frame, to (n, m, 6)."""
    if heading is None:
        out[...] = xmat[..., [0, 1, 3, 4, 6, 7]]
        return
    cos, sin = heading
    xx, xy, yx, yy = xmat[..., 0], xmat[..., 1], xmat[..., 3], xmat[..., 4]
    out[..., 0], out[..., 1] = cos * xx + sin * yx, cos * xy + sin * yy
    out[..., 2], out[..., 3] = cos * yx - sin * xx, cos * yy - sin * xy
    out[..., 4], out[..., 5] = xmat[..., 6], xmat[..., 7]
