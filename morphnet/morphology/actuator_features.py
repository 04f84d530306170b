"""Physical features of actuators (controls) in the start pose."""

import mujoco
import numpy as np

from morphnet.morphology import scaling
from morphnet.morphology.joint_features import joint_inertias
from morphnet.morphology.membership import among
from morphnet.morphology.skeleton import Skeleton
from morphnet.morphology.strength import control_range, force_limits
from morphnet.morphology.transmission import control_outputs, control_owners, moment_matrix

TRANSMISSIONS = {
    "joint": int(mujoco.mjtTrn.mjTRN_JOINT),
    "joint_in_parent": int(mujoco.mjtTrn.mjTRN_JOINTINPARENT),
    "slider_crank": int(mujoco.mjtTrn.mjTRN_SLIDERCRANK),
    "tendon": int(mujoco.mjtTrn.mjTRN_TENDON),
    "site": int(mujoco.mjtTrn.mjTRN_SITE),
    "body": int(mujoco.mjtTrn.mjTRN_BODY),
    "orientation": int(mujoco.mjtTrn.mjTRN_SO3),
}
DYNAMICS = {
    "dynamics_none": int(mujoco.mjtDyn.mjDYN_NONE),
    "dynamics_integrator": int(mujoco.mjtDyn.mjDYN_INTEGRATOR),
    "dynamics_filter": int(mujoco.mjtDyn.mjDYN_FILTER),
    "dynamics_filter_exact": int(mujoco.mjtDyn.mjDYN_FILTEREXACT),
    "dynamics_muscle": int(mujoco.mjtDyn.mjDYN_MUSCLE),
}
GAINS = {
    "gain_fixed": int(mujoco.mjtGain.mjGAIN_FIXED),
    "gain_affine": int(mujoco.mjtGain.mjGAIN_AFFINE),
    "gain_muscle": int(mujoco.mjtGain.mjGAIN_MUSCLE),
}
BIASES = {
    "bias_none": int(mujoco.mjtBias.mjBIAS_NONE),
    "bias_affine": int(mujoco.mjtBias.mjBIAS_AFFINE),
    "bias_muscle": int(mujoco.mjtBias.mjBIAS_MUSCLE),
}

# Name -> what is squashed, and its unit. "Torque" is N m on hinges, balls and rotations, N on slides.
ACTUATOR_FEATURE_UNITS = {
    **dict.fromkeys((*TRANSMISSIONS, *DYNAMICS, "dynamics_other"), "0 or 1"),
    **dict.fromkeys((*GAINS, "gain_other", *BIASES, "bias_other"), "0 or 1"),
    "moment": "torque per unit force, signed logarithmic, summed over the degrees of freedom",
    "moment_size": "torque per unit force, logarithmic, magnitudes summed",
    "torque_low": "torque at the lowest control, signed logarithmic, summed over the degrees of freedom",
    "torque_high": "torque at the highest control, signed logarithmic, summed",
    "strength": "largest torque / (the robot's weight x its size), logarithmic",
    "acceleration": "rad/s^2 or m/s^2, logarithmic: largest torque / inertia that its joint moves",
    "control_low": "control's own unit, signed logarithmic; of -1 if unlimited",
    "control_high": "control's own unit, signed logarithmic; of 1 if unlimited",
    "control_limited": "0 or 1",
    "control_index": "place among the controls of one MuJoCo actuator / 3",
    "force_limited": "0 or 1",
    "force_low": "N or N m, signed logarithmic; 0 if unlimited",
    "force_high": "N or N m, signed logarithmic; 0 if unlimited",
    "gain": "fixed gain (a servo's stiffness or damping), signed logarithmic; 0 for muscles",
    "bias_constant": "force, signed logarithmic; 0 unless affine",
    "bias_stiffness": "force per unit length, signed logarithmic; 0 unless affine",
    "bias_damping": "force per unit speed, signed logarithmic; 0 unless affine",
    "damping": "force per unit speed of the actuator itself, logarithmic",
    "time_constant": "s, logarithmic, of filters and muscles; 0 without",
    "delay": "s, logarithmic, between control and force",
    "start_length": "length in the start pose (a servo's control that holds it), signed logarithmic",
    "num_joints": "joints it drives / 4",
}
ACTUATOR_FEATURE_NAMES = tuple(ACTUATOR_FEATURE_UNITS)
ACTUATOR_FEATURES = len(ACTUATOR_FEATURE_NAMES)


def actuator_features(model: mujoco.MjModel, data: mujoco.MjData, skeleton: Skeleton, robot_size: float) -> np.ndarray:
    """Features of the robot's actuators, named by ``ACTUATOR_FEATURE_NAMES``.

    Args:
        model: The compiled model.
        data: Its state in the start pose, poses and moments computed.
        skeleton: The robot.
        robot_size: Half the diagonal of its bounding box in m.

    Returns:
        (num_actuators, ACTUATOR_FEATURES) float32.
    """
    owners = control_owners(model)
    columns = _kinds(model, owners) | _control(model, owners) | _force_law(model, owners)
    columns |= _torques(model, data, skeleton, robot_size)
    driven, count = np.unique(skeleton.actuator_joints[:, 0], return_counts=True)
    columns["num_joints"] = np.zeros(model.nu)
    columns["num_joints"][driven] = count / 4.0
    return scaling.stack(columns, ACTUATOR_FEATURE_NAMES)


def _kinds(model: mujoco.MjModel, owners: np.ndarray) -> dict[str, np.ndarray]:
    dynamics, gain = model.actuator_dyntype[owners], model.actuator_gaintype[owners]
    bias = model.actuator_biastype[owners]
    return {
        **scaling.one_hot(model.actuator_trntype[owners], TRANSMISSIONS),
        **scaling.one_hot(dynamics, DYNAMICS),
        "dynamics_other": scaling.other(dynamics, DYNAMICS),
        **scaling.one_hot(gain, GAINS),
        "gain_other": scaling.other(gain, GAINS),
        **scaling.one_hot(bias, BIASES),
        "bias_other": scaling.other(bias, BIASES),
    }


def _control(model: mujoco.MjModel, owners: np.ndarray) -> dict[str, np.ndarray]:
    low, high = control_range(model).T
    return {
        "control_low": scaling.signed_log(low, unit=0.1) / 3.0,
        "control_high": scaling.signed_log(high, unit=0.1) / 3.0,
        "control_limited": model.actuator_ctrllimited.astype(float),
        "control_index": (np.arange(model.nu) - model.actuator_ctrladr[owners]) / 3.0,
    }


def _force_law(model: mujoco.MjModel, owners: np.ndarray) -> dict[str, np.ndarray]:
    limited = model.actuator_forcelimited[owners].astype(bool)
    low, high = np.where(limited, model.actuator_forcerange[owners].T, 0.0)
    plain = among(model.actuator_gaintype[owners], [GAINS["gain_fixed"], GAINS["gain_affine"]])
    affine = model.actuator_biastype[owners] == BIASES["bias_affine"]
    bias = np.where(affine[:, None], model.actuator_biasprm[owners, :3], 0.0)
    timed = [DYNAMICS[f"dynamics_{name}"] for name in ("filter", "filter_exact", "muscle")]
    seconds = np.where(among(model.actuator_dyntype[owners], timed), model.actuator_dynprm[owners, 0], 0.0)
    return {
        "force_limited": limited.astype(float),
        "force_low": scaling.signed_log(low) / 3.0,
        "force_high": scaling.signed_log(high) / 3.0,
        "gain": scaling.signed_log(np.where(plain, model.actuator_gainprm[owners, 0], 0.0)) / 3.0,
        "bias_constant": scaling.signed_log(bias[:, 0]) / 3.0,
        "bias_stiffness": scaling.signed_log(bias[:, 1]) / 3.0,
        "bias_damping": scaling.signed_log(bias[:, 2]) / 3.0,
        "damping": scaling.signed_log(model.actuator_damping[owners], unit=0.1) / 3.0,
        "time_constant": scaling.signed_log(seconds, unit=0.01) / 3.0,
        "delay": scaling.signed_log(model.actuator_delay[owners], unit=0.01) / 3.0,
        "start_length": scaling.signed_log(_start_lengths(model), unit=0.1) / 3.0,
    }


def _start_lengths(model: mujoco.MjModel) -> np.ndarray:
    """(nu,) length in the start pose of the first force output that each control commands."""
    return model.actuator_length0[np.argmax(control_outputs(model), axis=1)]


def _torques(
    model: mujoco.MjModel, data: mujoco.MjData, skeleton: Skeleton, robot_size: float
) -> dict[str, np.ndarray]:
    moments = control_outputs(model).astype(float) @ moment_matrix(model, data)
    low, high = force_limits(model, data)
    largest = np.maximum(np.abs(low), np.abs(high))
    mass = model.body_mass[skeleton.body_ids].sum()
    weight = max(mass * scaling.STANDARD_GRAVITY * robot_size, 1e-9)
    return {
        "moment": scaling.signed_log(moments.sum(axis=1), unit=0.1) / 3.0,
        "moment_size": scaling.signed_log(np.abs(moments).sum(axis=1), unit=0.1) / 3.0,
        "torque_low": scaling.signed_log(low.sum(axis=1)) / 3.0,
        "torque_high": scaling.signed_log(high.sum(axis=1)) / 3.0,
        "strength": scaling.log(largest.max(axis=1, initial=0.0) / weight, floor=1e-6),
        "acceleration": scaling.log(_accelerations(model, skeleton, largest), floor=1e-3, unit=10.0),
    }


def _accelerations(model: mujoco.MjModel, skeleton: Skeleton, largest: np.ndarray) -> np.ndarray:
    """(nu,) the largest acceleration each control gives a joint that moves alone, rad/s^2 or m/s^2."""
    torque = np.zeros((model.nu, model.njnt))
    np.maximum.at(torque.T, model.dof_jntid, largest.T)
    actuators, joints = skeleton.actuator_joints[:, 0], skeleton.joint_ids[skeleton.actuator_joints[:, 1]]
    best = np.zeros(model.nu)
    np.maximum.at(best, actuators, torque[actuators, joints] / np.maximum(joint_inertias(model, joints), 1e-9))
    return best
