"""What actuators can exert in the start pose, by asking MuJoCo's own force laws."""

import copy

import mujoco
import numpy as np

from morphnet.morphology.transmission import control_outputs, control_owners, moment_matrix, place

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
        data: Its state in the start pose, poses and moments computed; not changed.

    Returns:
        Two (nu, nv) float64: torques at the lowest and at the highest control, N m or N.
    """
    if model.actuator_delay.any():
        model = copy.copy(model)
        model.actuator_delay[:] = 0.0  # what comes late comes all the same
    probe = mujoco.MjData(model)
    probe.qpos[:] = data.qpos
    place(model, probe)
    moments = moment_matrix(model, probe)
    outputs = control_outputs(model).astype(float)
    low = np.zeros((model.nu, model.nv))
    high = np.zeros((model.nu, model.nv))
    for control, (actuator, ends) in enumerate(zip(control_owners(model), control_range(model), strict=True)):
        for value, torques in zip(ends, (low, high), strict=True):
            force = _forces_at(model, probe, int(actuator), control, value)
            torques[control] = _joint_limited(model, (outputs[control] * force) @ moments)
    return low, high


def _forces_at(model: mujoco.MjModel, probe: mujoco.MjData, actuator: int, control: int, value: float) -> np.ndarray:
    """(nout,) actuator forces with one control of an actuator at ``value``, all others at 0."""
    probe.ctrl[:] = 0.0
    probe.act[:] = 0.0
    probe.ctrl[control] = value
    if model.actuator_dyntype[actuator] in FOLLOWS_CONTROL:
        last = model.actuator_actadr[actuator] + model.actuator_actnum[actuator] - 1
        probe.act[last] = _settled_activation(model, actuator, value)
    mujoco.mj_fwdActuation(model, probe)
    return probe.actuator_force


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
    """(nv,) torques within the limits that joints themselves set on what actuators may exert."""
    for joint in np.flatnonzero(model.jnt_actfrclimited):
        dof = model.jnt_dofadr[joint]
        torques[dof] = np.clip(torques[dof], *model.jnt_actfrcrange[joint])
    return torques
