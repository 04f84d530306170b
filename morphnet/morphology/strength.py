"""What actuators can exert in the start pose, by asking MuJoCo's own force laws."""

import collections
import copy

import mujoco
import numpy as np

from morphnet.morphology.transmission import control_outputs, control_owners, moment_matrix

FOLLOWS_CONTROL = (
    int(mujoco.mjtDyn.mjDYN_INTEGRATOR),
    int(mujoco.mjtDyn.mjDYN_FILTER),
    int(mujoco.mjtDyn.mjDYN_FILTEREXACT),
    int(mujoco.mjtDyn.mjDYN_MUSCLE),
)


def control_range(model: mujoco.MjModel) -> np.ndarray:
    """(nu, 2) lowest and highest control; an unlimited control is taken to run from -1 to 1."""
    limited = model.actuator_ctrllimited.astype(bool)
    return np.where(limited[:, None], model.actuator_ctrlrange, [-1.0, 1.0])


def force_limits(model: mujoco.MjModel, data: mujoco.MjData) -> tuple[np.ndarray, np.ndarray]:
    """Joint torques that each control alone exerts at the two ends of its range, at rest.

    Activations are where the control drives them in the end (an integrator's: at the limit of its range).
    Force limits of actuators and joints hold.

    Args:
        model: The compiled model.
        data: Its state in the start pose, poses and moments computed; of it only forces are changed.

    Returns:
        Two (nu, nv) float64: torques at the lowest and at the highest control, N m or N.
    """
    if model.actuator_delay.any():
        model = copy.copy(model)
        model.actuator_delay[:] = 0.0  # what comes late comes all the same
    moments, outputs = moment_matrix(model, data), control_outputs(model).astype(float)
    low, high = np.zeros((model.nu, model.nout)), np.zeros((model.nu, model.nout))
    for controls in _independent(model):
        for values, forces in zip(control_range(model).T, (low, high), strict=True):
            forces[controls] = outputs[controls] * _forces_at(model, data, controls, values)
    data.ctrl[:], data.act[:] = 0.0, 0.0
    return _joint_limited(model, low @ moments), _joint_limited(model, high @ moments)


def _independent(model: mujoco.MjModel) -> list[np.ndarray]:
    """Sets of controls that have no force in common, all controls together: each acts in company as it does alone.

    Controls of one actuator add up, and a tendon may limit what all actuators on it exert.
    """
    owners = control_owners(model)
    on_tendon = model.actuator_trntype[owners] == mujoco.mjtTrn.mjTRN_TENDON
    shared = np.where(on_tendon, model.nactuator + model.actuator_trnid[owners, 0], owners)
    sets: list[list[int]] = []
    taken: collections.Counter[int] = collections.Counter()
    for control, target in enumerate(shared.tolist()):
        sets += [[]] if taken[target] == len(sets) else []
        sets[taken[target]].append(control)
        taken[target] += 1
    return [np.array(controls) for controls in sets]


def _forces_at(model: mujoco.MjModel, data: mujoco.MjData, controls: np.ndarray, values: np.ndarray) -> np.ndarray:
    """(nout,) actuator forces with some controls at their ``values`` (nu,), all others at 0."""
    data.ctrl[:] = 0.0
    data.act[:] = 0.0
    data.ctrl[controls] = values[controls]
    for control, actuator in zip(controls, control_owners(model)[controls], strict=True):
        if model.actuator_dyntype[actuator] in FOLLOWS_CONTROL:
            last = model.actuator_actadr[actuator] + model.actuator_actnum[actuator] - 1
            data.act[last] = _settled_activation(model, actuator, values[control])
    mujoco.mj_fwdActuation(model, data)
    return np.array(data.actuator_force)


def _settled_activation(model: mujoco.MjModel, actuator: int, value: float) -> float:
    kind = model.actuator_dyntype[actuator]
    if kind == mujoco.mjtDyn.mjDYN_MUSCLE:
        return float(np.clip(value, 0.0, 1.0))
    if not model.actuator_actlimited[actuator]:
        return value
    low, high = model.actuator_actrange[actuator]
    if kind == mujoco.mjtDyn.mjDYN_INTEGRATOR:
        return float(low if value < 0 else high)
    return float(np.clip(value, low, high))


def _joint_limited(model: mujoco.MjModel, torques: np.ndarray) -> np.ndarray:
    """(nu, nv) torques within the limits that joints themselves set on what actuators may exert."""
    for joint in np.flatnonzero(model.jnt_actfrclimited):
        dof = model.jnt_dofadr[joint]
        torques[:, dof] = np.clip(torques[:, dof], *model.jnt_actfrcrange[joint])
    return torques
