"""What a robot is made of and how its parts are joined, before any physical quantity."""

import dataclasses

import mujoco
import numpy as np

from morphnet.errors import BodyError
from morphnet.morphology.membership import among
from morphnet.morphology.transmission import control_owners, control_target_bodies, driven_joints


@dataclasses.dataclass(frozen=True, eq=False)
class Skeleton:
    """The robot's bodies, joints and actuators, and their connections.

    The robot is every kinematic tree that an actuator acts on, with the bodies that carry those trees down to
    the world (a pedestal). Balls, targets and scenery are not part of it.

    Attributes:
        body_ids: (num_bodies,) int32 MjModel body ids, ascending.
        joint_ids: (num_joints,) int32 MjModel ids of the joints on those bodies, ascending.
        actuator_ids: (num_actuators,) int32, 0 to nu - 1: all controls of the model in ``data.ctrl``'s order.
        root_body: MjModel body id of the child of the world under which most of the robot's bodies are.
        root_joint_ids: int32 MjModel ids of the joints that only place the base in the world.
        body_parent: (num_bodies,) int32 index into ``body_ids`` of the parent, -1 for children of the world.
        joint_body: (num_joints,) int32 index into ``body_ids`` of the body the joint moves.
        actuator_joints: (num_pairs, 2) int32 pairs (actuator index, joint index), whatever the transmission.
        actuator_bodies: (num_pairs, 2) int32 pairs (actuator index, body index) for actuators that act on a
            body (adhesion); an actuator that moves nothing is paired with the root body.
        body_names: MuJoCo's names, or "body3" by id where there is none. Networks read no names; limbs that
            coincide are told apart by the model's own (``twins``).
        joint_names: the same for joints.
        actuator_names: the same for actuators, which are called as their joint where they have no name of their own;
            "name[1]" for the second control of one actuator.
    """

    body_ids: np.ndarray
    joint_ids: np.ndarray
    actuator_ids: np.ndarray
    root_body: int
    root_joint_ids: np.ndarray
    body_parent: np.ndarray
    joint_body: np.ndarray
    actuator_joints: np.ndarray
    actuator_bodies: np.ndarray
    body_names: tuple[str, ...]
    joint_names: tuple[str, ...]
    actuator_names: tuple[str, ...]


def skeleton_from_model(model: mujoco.MjModel, data: mujoco.MjData) -> Skeleton:
    """Find the robot in a compiled model.

    Args:
        model: The compiled model.
        data: The model's state in the start pose, poses and moments computed; left as it is.

    Returns:
        The robot's skeleton.

    Raises:
        BodyError: No actuator, or none that moves anything.
    """
    if model.nu == 0:
        raise BodyError("the model has no actuator with a control: there is nothing to control")
    drives = driven_joints(model, data)
    targets = control_target_bodies(model)
    body_ids = _robot_bodies(model, drives, targets)
    joint_ids = np.flatnonzero(among(model.jnt_bodyid, body_ids)).astype(np.int32)
    root_body = _root_body(model, data, body_ids)
    drives = drives[:, joint_ids]
    return Skeleton(
        body_ids=body_ids,
        joint_ids=joint_ids,
        actuator_ids=np.arange(model.nu, dtype=np.int32),
        root_body=root_body,
        root_joint_ids=_root_joints(model, body_ids, root_body, joint_ids[drives.any(axis=0)]),
        body_parent=_index_of(body_ids, model.body_parentid[body_ids]),
        joint_body=_index_of(body_ids, model.jnt_bodyid[joint_ids]),
        actuator_joints=np.argwhere(drives).astype(np.int32).reshape(-1, 2),
        actuator_bodies=_actuator_bodies(drives, targets, body_ids, root_body),
        body_names=_names(model, mujoco.mjtObj.mjOBJ_BODY, "body", body_ids),
        joint_names=_names(model, mujoco.mjtObj.mjOBJ_JOINT, "joint", joint_ids),
        actuator_names=_actuator_names(model),
    )


def _robot_bodies(model: mujoco.MjModel, drives: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """(num_bodies,) ids of the bodies in actuated trees and of those trees' ancestors below the world."""
    acted_on = np.union1d(model.jnt_bodyid[drives.any(axis=0)], targets[targets > 0])
    if acted_on.size == 0:
        raise BodyError(f"none of the model's {model.nu} controls moves a joint or a body: nothing to control")
    trees = np.setdiff1d(model.body_treeid[acted_on], [-1])
    robot = set(acted_on.tolist()) | set(np.flatnonzero(among(model.body_treeid, trees)).tolist())
    for body in tuple(robot):
        parent = int(model.body_parentid[body])
        while parent != 0:
            robot.add(parent)
            parent = int(model.body_parentid[parent])
    return np.array(sorted(robot), dtype=np.int32)


def _root_body(model: mujoco.MjModel, data: mujoco.MjData, body_ids: np.ndarray) -> int:
    """The child of the world that carries most of the robot's bodies.

    Ties go to the smaller start position, so that the order in the file does not matter.
    """
    roots, counts = np.unique(model.body_rootid[body_ids], return_counts=True)
    candidates = roots[counts == counts.max()]
    return int(min(candidates, key=lambda body: (*np.round(data.xpos[body], 6), body)))


def _root_joints(model: mujoco.MjModel, body_ids: np.ndarray, root_body: int, driven: np.ndarray) -> np.ndarray:
    """Joints of the first jointed body, walking up from the root body, that no actuator drives.

    A free joint always counts: thrusters drive a drone's free joint, yet it still only places the base. A
    pedestal that carries several jointed bodies has no single base joint.
    """
    body = root_body
    while model.body_jntnum[body] == 0:
        children = body_ids[model.body_parentid[body_ids] == body]
        if len(children) != 1:
            return np.zeros(0, dtype=np.int32)
        body = int(children[0])
    joints = model.body_jntadr[body] + np.arange(model.body_jntnum[body], dtype=np.int32)
    free = model.jnt_type[joints] == mujoco.mjtJoint.mjJNT_FREE
    return joints[free | ~among(joints, driven)]


def _index_of(ids: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Index of each wanted id in the ascending ``ids``, -1 for the world's."""
    return np.where(wanted == 0, -1, np.searchsorted(ids, wanted)).astype(np.int32)


def _actuator_bodies(drives: np.ndarray, targets: np.ndarray, body_ids: np.ndarray, root_body: int) -> np.ndarray:
    jointless = np.flatnonzero(~drives.any(axis=1))
    bodies = np.where(targets[jointless] > 0, targets[jointless], root_body)
    pairs = np.stack([jointless, np.searchsorted(body_ids, bodies)], axis=1)
    return pairs.astype(np.int32)


def _names(model: mujoco.MjModel, kind: mujoco.mjtObj, prefix: str, ids: np.ndarray) -> tuple[str, ...]:
    named = [mujoco.mj_id2name(model, kind, int(i)) for i in ids]
    return tuple(name or _stand_in(f"{prefix}{i}", named) for name, i in zip(named, ids, strict=True))


def _stand_in(name: str, taken: list[str | None]) -> str:
    """A name for an unnamed part that no other part of its kind has."""
    while name in taken:
        name += "_"
    return name


def _actuator_names(model: mujoco.MjModel) -> tuple[str, ...]:
    names: list[str | None] = []
    for control, actuator in enumerate(control_owners(model)):
        name = mujoco.mj_id2name(model, mujoco.mjtObj.mjOBJ_ACTUATOR, int(actuator))
        if name and model.actuator_ctrlnum[actuator] > 1:
            name = f"{name}[{control - model.actuator_ctrladr[actuator]}]"
        names.append(name)
    for control, actuator in enumerate(control_owners(model)):
        names[control] = names[control] or _stand_in(_joint_name(model, int(actuator)) or f"actuator{control}", names)
    return tuple(map(str, names))


def _joint_name(model: mujoco.MjModel, actuator: int) -> str | None:
    """Name of the joint that an actuator drives, if it drives one that has a name."""
    joints = (int(mujoco.mjtTrn.mjTRN_JOINT), int(mujoco.mjtTrn.mjTRN_JOINTINPARENT))
    if not np.isin(model.actuator_trntype[actuator], joints):
        return None
    name = mujoco.mj_id2name(model, mujoco.mjtObj.mjOBJ_JOINT, int(model.actuator_trnid[actuator, 0]))
    return str(name) if name else None
