"""A robot's morphology as a typed graph, read from its compiled model."""

import dataclasses
import enum
from functools import cached_property

import mujoco
import numpy as np

from morphnet.morphology.actuator_features import actuator_features
from morphnet.morphology.body_features import body_features
from morphnet.morphology.geometry import body_extents
from morphnet.morphology.joint_features import joint_features
from morphnet.morphology.skeleton import Skeleton, skeleton_from_model
from morphnet.morphology.transmission import start_data
from morphnet.morphology.twins import APART, place_aside, sides_of_limbs


class EdgeKind(enum.IntEnum):
    """What an edge connects. BODY_BODY runs from parent to child."""

    BODY_BODY = 0
    BODY_JOINT = 1
    JOINT_ACTUATOR = 2
    BODY_ACTUATOR = 3


@dataclasses.dataclass(frozen=True, eq=False)
class MorphologyGraph(Skeleton):
    """A robot's skeleton with the physical features of its parts.

    Tokens are numbered bodies first, then joints, then actuators, each in the order of its ids. Features are
    functions of the start pose ``qpos0`` and of physical parameters, squashed to order one by fixed
    transforms; they depend on neither looks, the order in the file nor where in the world's x and y the robot
    stands, and on names only where limbs coincide (``sides_of_limbs``). The names of their
    columns are ``BODY_FEATURE_NAMES``, ``JOINT_FEATURE_NAMES`` and ``ACTUATOR_FEATURE_NAMES`` in the modules that
    compute them.

    Attributes:
        body_features: (num_bodies, BODY_FEATURES) float32.
        joint_features: (num_joints, JOINT_FEATURES) float32.
        actuator_features: (num_actuators, ACTUATOR_FEATURES) float32.
    """

    body_features: np.ndarray
    joint_features: np.ndarray
    actuator_features: np.ndarray

    @property
    def num_bodies(self) -> int:
        """Number of body tokens."""
        return len(self.body_ids)

    @property
    def num_joints(self) -> int:
        """Number of joint tokens."""
        return len(self.joint_ids)

    @property
    def num_actuators(self) -> int:
        """Number of actuator tokens, which is the size of ``data.ctrl``."""
        return len(self.actuator_ids)

    @property
    def num_tokens(self) -> int:
        """Number of tokens of all kinds."""
        return self.num_bodies + self.num_joints + self.num_actuators

    @cached_property
    def edges(self) -> np.ndarray:
        """(num_edges, 3) int32: token, token, EdgeKind; each connection once."""
        joints, actuators = self.num_bodies, self.num_bodies + self.num_joints
        children = np.flatnonzero(self.body_parent >= 0)
        driver, driven = self.actuator_joints.T
        holder, held = self.actuator_bodies.T
        return np.concatenate(
            [
                _edges(self.body_parent[children], children, EdgeKind.BODY_BODY),
                _edges(self.joint_body, joints + np.arange(self.num_joints), EdgeKind.BODY_JOINT),
                _edges(joints + driven, actuators + driver, EdgeKind.JOINT_ACTUATOR),
                _edges(held, actuators + holder, EdgeKind.BODY_ACTUATOR),
            ]
        )


def graph_from_model(model: mujoco.MjModel) -> MorphologyGraph:
    """Read a robot's morphology from its compiled model.

    Args:
        model: The compiled model; not changed.

    Returns:
        The graph of all bodies and joints in kinematic trees with actuators, and of all actuators.

    Raises:
        BodyError: The model has nothing to control.
    """
    data = start_data(model)
    skeleton = skeleton_from_model(model, data)
    extents = body_extents(model, data, skeleton.body_ids)
    sides = sides_of_limbs(model, data, skeleton, extents)
    place_aside(data, skeleton, APART * extents.robot_size * sides)
    return MorphologyGraph(
        **vars(skeleton),
        body_features=body_features(model, data, skeleton, extents),
        joint_features=joint_features(model, data, skeleton),
        actuator_features=actuator_features(model, data, skeleton, extents.robot_size),
    )


def _edges(first: np.ndarray, second: np.ndarray, kind: EdgeKind) -> np.ndarray:
    return np.stack([first, second, np.full(len(first), kind)], axis=1).astype(np.int32)
