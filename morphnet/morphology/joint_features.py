"""Physical features of joints in the start pose."""

import mujoco
import numpy as np

from morphnet.morphology import scaling
from morphnet.morphology.membership import among, is_scalar
from morphnet.morphology.skeleton import Skeleton

JOINT_TYPES = {
    "free": int(mujoco.mjtJoint.mjJNT_FREE),
    "ball": int(mujoco.mjtJoint.mjJNT_BALL),
    "slide": int(mujoco.mjtJoint.mjJNT_SLIDE),
    "hinge": int(mujoco.mjtJoint.mjJNT_HINGE),
}

# Name -> what is squashed, and its unit (rad for hinges and balls, m for slides).
JOINT_FEATURE_UNITS = {
    **dict.fromkeys(JOINT_TYPES, "0 or 1"),
    "axis_x": "unit axis along the world's axes; 0 for free and ball joints",
    "axis_y": "",
    "axis_z": "",
    "from_root_x": "m, anchor from the root body's origin, along the world's axes",
    "from_root_y": "m",
    "from_root_z": "m",
    "limited": "0 or 1",
    "travel_low": "rad or m, lower limit from the start pose; 0 if unlimited",
    "travel_high": "rad or m, upper limit from the start pose; 0 if unlimited",
    "start_in_range": "start pose between the limits, -1 to 1; 0 if unlimited",
    "stiffness": "N m/rad or N/m, logarithmic",
    "spring_rest": "rad or m, where the spring rests, from the start pose; 0 without a spring",
    "damping": "N m s/rad or N s/m, logarithmic",
    "armature": "kg m^2 or kg, logarithmic",
    "friction_loss": "N m or N, logarithmic",
    "inertia": "kg m^2 or kg, logarithmic, that the joint moves in the start pose",
    "is_root": "0 or 1: only places the base",
    "actuated": "0 or 1",
}
JOINT_FEATURE_NAMES = tuple(JOINT_FEATURE_UNITS)
JOINT_FEATURES = len(JOINT_FEATURE_NAMES)


def joint_features(model: mujoco.MjModel, data: mujoco.MjData, skeleton: Skeleton) -> np.ndarray:
    """Features of the robot's joints, named by ``JOINT_FEATURE_NAMES``.

    Args:
        model: The compiled model.
        data: Its state in the start pose, poses computed.
        skeleton: The robot.

    Returns:
        (num_joints, JOINT_FEATURES) float32.
    """
    ids = skeleton.joint_ids
    kind = model.jnt_type[ids]
    scalar = is_scalar(kind)
    axis = np.where(scalar[:, None], data.xaxis[ids], 0.0)
    anchor = data.xanchor[ids] - data.xpos[skeleton.root_body]
    driven = among(np.arange(len(ids)), skeleton.actuator_joints[:, 1])
    columns = {
        **scaling.one_hot(kind, JOINT_TYPES),
        **scaling.xyz("axis", axis),
        **scaling.xyz("from_root", scaling.length(anchor)),
        **_limits(model, ids, scalar),
        **_passive(model, ids, scalar),
        "is_root": among(ids, skeleton.root_joint_ids).astype(float),
        "actuated": driven.astype(float),
    }
    return scaling.stack(columns, JOINT_FEATURE_NAMES)


def joint_inertias(model: mujoco.MjModel, joints: np.ndarray) -> np.ndarray:
    """(n,) inertia that each joint moves in the start pose: kg for slide and free joints, kg m^2 for the others.

    Of a ball joint's three and a free joint's three translational degrees of freedom, the mean.
    """
    first = model.jnt_dofadr[joints]
    last = np.where(is_scalar(model.jnt_type[joints]), first, first + 2)
    inertias: np.ndarray = model.dof_M0[[first, (first + last) // 2, last]].mean(axis=0)
    return inertias


def _limits(model: mujoco.MjModel, ids: np.ndarray, scalar: np.ndarray) -> dict[str, np.ndarray]:
    limited = model.jnt_limited[ids].astype(bool)
    start = np.where(scalar, model.qpos0[model.jnt_qposadr[ids]], 0.0)
    low, high = model.jnt_range[ids].T
    width = np.maximum(high - low, 1e-9)
    inside = np.clip(2.0 * (start - low) / width - 1.0, -2.0, 2.0)
    return {
        "limited": limited.astype(float),
        "travel_low": np.where(limited, np.arcsinh(low - start), 0.0),
        "travel_high": np.where(limited, np.arcsinh(high - start), 0.0),
        "start_in_range": np.where(limited & scalar, inside, 0.0),
    }


def _passive(model: mujoco.MjModel, ids: np.ndarray, scalar: np.ndarray) -> dict[str, np.ndarray]:
    address, dof = model.jnt_qposadr[ids], model.jnt_dofadr[ids]
    stiffness = model.jnt_stiffness[ids]
    rest = model.qpos_spring[address] - model.qpos0[address]
    return {
        "stiffness": scaling.signed_log(stiffness) / 3.0,
        "spring_rest": np.where(scalar & (stiffness > 0), np.arcsinh(rest), 0.0),
        "damping": scaling.signed_log(model.dof_damping[dof], unit=0.1) / 3.0,
        "armature": scaling.signed_log(model.dof_armature[dof], unit=0.01) / 3.0,
        "friction_loss": scaling.signed_log(model.dof_frictionloss[dof], unit=0.1) / 3.0,
        "inertia": scaling.log(joint_inertias(model, ids), floor=1e-9, unit=0.01),
    }
