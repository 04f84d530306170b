"""Observation layout: which entry of an observation is what.

Each entry belongs to a token of the morphology graph (root, body, joint, actuator or task) and to one slot of
that kind of token.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from morphnet.bodies import Body

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
    "task": (
        "direction_x",
        "direction_y",
        *(f"goal_{a}" for a in _VECTOR),
        *(f"to_goal_{a}" for a in _VECTOR),
    ),
}
"""Slots of each kind of observing token. Checkpoints keep their numbers: new ones are appended to the last kind."""

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

    def select(self, entries: np.ndarray) -> ObservationLayout:
        """Return the layout of some of the entries."""
        names = tuple(self.names[entry] for entry in entries)
        return ObservationLayout(self.kind[entries], self.token[entries], self.slot[entries], names)


def full_layout(body: Body, moving: np.ndarray, joints: np.ndarray) -> ObservationLayout:
    """Lay out every slot of every observing token.

    Args:
        body: the body.
        moving: the observing bodies but for the root, as indices into the graph's bodies.
        joints: the observing joints, as indices into the graph's joints.
    """
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
