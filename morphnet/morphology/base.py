"""How a robot's base moves in the world."""

import dataclasses

import mujoco
import numpy as np

from morphnet.morphology.graph import MorphologyGraph
from morphnet.morphology.joint_features import JOINT_FEATURE_NAMES
from morphnet.morphology.membership import is_scalar

ALIGNED = 0.99  # cosine above which an axis counts as vertical or as one of the world's


@dataclasses.dataclass(frozen=True)
class Base:
    """Which coordinates move the base, None where there is no such motion.

    Attributes:
        can_yaw: Whether the root joints can turn the base about the world's vertical.
        x_qpos: Address in ``qpos`` of motion along the world's x (m).
        y_qpos: The same along y.
        z_qpos: The same along z; the root's height up to a constant, exactly it for a free joint.
        pitch_qpos: Address in ``qpos`` of a root hinge with a horizontal axis (rad, about that axis).
        x_dof: Address in ``qvel`` of x_qpos's velocity.
        y_dof: Address in ``qvel`` of y_qpos's velocity.
        z_dof: Address in ``qvel`` of z_qpos's velocity.
        pitch_dof: Address in ``qvel`` of pitch_qpos's velocity.
    """

    can_yaw: bool = False
    x_qpos: int | None = None
    y_qpos: int | None = None
    z_qpos: int | None = None
    pitch_qpos: int | None = None
    x_dof: int | None = None
    y_dof: int | None = None
    z_dof: int | None = None
    pitch_dof: int | None = None


def base_from_graph(model: mujoco.MjModel, graph: MorphologyGraph) -> Base:
    """Find the motions of the base among the root joints, by their axes in the start pose.

    Args:
        model: The compiled model.
        graph: Its morphology.
    """
    axes = graph.joint_features[:, [JOINT_FEATURE_NAMES.index(f"axis_{name}") for name in "xyz"]]
    found: dict[str, int] = {}
    can_yaw = False
    for joint in graph.root_joint_ids:
        kind, axis = model.jnt_type[joint], axes[np.searchsorted(graph.joint_ids, joint)]
        can_yaw |= not is_scalar(kind)
        can_yaw |= kind == mujoco.mjtJoint.mjJNT_HINGE and abs(axis[2]) > ALIGNED
        for offset, motion in _motions(kind, axis):
            found.setdefault(f"{motion}_qpos", int(model.jnt_qposadr[joint]) + offset)
            found.setdefault(f"{motion}_dof", int(model.jnt_dofadr[joint]) + offset)
    return Base(can_yaw=bool(can_yaw), **found)


def _motions(kind: int, axis: np.ndarray) -> list[tuple[int, str]]:
    """Base motions of one root joint, each with its offset from the joint's first address."""
    if kind == mujoco.mjtJoint.mjJNT_FREE:
        return list(enumerate("xyz"))
    if kind == mujoco.mjtJoint.mjJNT_SLIDE:
        return [(0, name) for i, name in enumerate("xyz") if axis[i] > ALIGNED]
    if kind == mujoco.mjtJoint.mjJNT_HINGE and np.hypot(axis[0], axis[1]) > ALIGNED:
        return [(0, "pitch")]
    return []
