"""Which controls move which joints: read from moment arms, so that every transmission is covered.

MuJoCo 4 lets one actuator have several controls (a PID servo takes a position and a velocity) and several
force outputs (an orientation servo exerts three torques). An "actuator" of the morphology graph is one
control, one number of ``data.ctrl``; for all but those two kinds that is MuJoCo's actuator itself.
"""

import mujoco
import numpy as np

from morphnet.morphology.membership import is_scalar

RANDOM_POSES = 8
POSE_SEED = 0
# Moments that cancel (a tendon inside a floating body moves none of its six root dofs) leave rounding noise.
RELATIVE_NOISE = 1e-9
ABSOLUTE_NOISE = 1e-10


def place(model: mujoco.MjModel, data: mujoco.MjData) -> None:
    """Bring poses, tendon lengths and actuator moments up to date with ``data.qpos``, without collisions."""
    mujoco.mj_kinematics(model, data)
    mujoco.mj_comPos(model, data)
    mujoco.mj_tendon(model, data)
    mujoco.mj_transmission(model, data)


def start_data(model: mujoco.MjModel) -> mujoco.MjData:
    """Make a new ``MjData`` in the start pose ``qpos0``, at rest, with poses and moments computed."""
    data = mujoco.MjData(model)
    place(model, data)
    return data


def moment_matrix(model: mujoco.MjModel, data: mujoco.MjData) -> np.ndarray:
    """Moment arms of every force output on every degree of freedom.

    Returns:
        (nout, nv) float64: m/rad or unitless, gears included.
    """
    dense = np.zeros((model.nout, model.nv))
    if model.nout and model.nv:
        mujoco.mju_sparse2dense(dense, data.actuator_moment, data.moment_rownnz, data.moment_rowadr, data.moment_colind)
    return dense


def control_owners(model: mujoco.MjModel) -> np.ndarray:
    """(nu,) int32: the MjModel actuator that each control belongs to."""
    owners = np.zeros(model.nu, dtype=np.int32)
    for actuator in range(model.nactuator):
        first = model.actuator_ctrladr[actuator]
        owners[first : first + model.actuator_ctrlnum[actuator]] = actuator
    return owners


def control_outputs(model: mujoco.MjModel) -> np.ndarray:
    """(nu, nout) bool: the force outputs that each control commands.

    Where an actuator has as many controls as outputs they pair up; else each control commands all outputs.
    """
    commands = np.zeros((model.nu, model.nout), dtype=bool)
    for control, actuator in enumerate(control_owners(model)):
        first, count = model.actuator_outadr[actuator], model.actuator_outnum[actuator]
        if model.actuator_ctrlnum[actuator] == count:
            commands[control, first + control - model.actuator_ctrladr[actuator]] = True
        else:
            commands[control, first : first + count] = True
    return commands


def control_target_bodies(model: mujoco.MjModel) -> np.ndarray:
    """(nu,) int32: the MjModel body that a control with body transmission (adhesion) acts on, else -1."""
    owners = control_owners(model)
    on_body = model.actuator_trntype[owners] == mujoco.mjtTrn.mjTRN_BODY
    return np.where(on_body, model.actuator_trnid[owners, 0], -1).astype(np.int32)


def driven_joints(model: mujoco.MjModel, data: mujoco.MjData) -> np.ndarray:
    """Which joints each control can move, in the start pose or in any of several random ones.

    One pose is not enough: a crank at its dead centre, or a thrust through a joint's axis, has no moment
    there. A body transmission has moments only while its body touches something, so it counts for none.

    Args:
        model: The compiled model.
        data: Its state in the start pose, where it is left as well: making an ``MjData`` costs more than all of this.

    Returns:
        (nu, njnt) bool.
    """
    drives_dof = _nonzero(moment_matrix(model, data))
    for pose in _random_poses(model):
        data.qpos[:] = pose
        place(model, data)
        drives_dof |= _nonzero(moment_matrix(model, data))
    data.qpos[:] = model.qpos0
    place(model, data)
    drives_dof = control_outputs(model).astype(int) @ drives_dof.astype(int) > 0
    drives_dof[control_target_bodies(model) >= 0] = False
    drives = np.zeros((model.nu, model.njnt), dtype=bool)
    np.logical_or.at(drives.T, model.dof_jntid, drives_dof.T)
    return drives


def _nonzero(moments: np.ndarray) -> np.ndarray:
    largest = np.abs(moments).max(axis=1, keepdims=True, initial=0.0)
    return np.abs(moments) > np.maximum(ABSOLUTE_NOISE, RELATIVE_NOISE * largest)


def _random_poses(model: mujoco.MjModel) -> np.ndarray:
    """(poses, nq) coordinates, uniform within limits where there are any; quaternions not yet of unit length."""
    rng = np.random.default_rng(POSE_SEED)
    scalar, limited = is_scalar(model.jnt_type), model.jnt_limited.astype(bool)
    free, held = model.jnt_qposadr[scalar & ~limited], model.jnt_qposadr[scalar & limited]
    low, high = model.jnt_range[scalar & limited].T
    poses = np.empty((RANDOM_POSES, model.nq))
    for pose in poses:
        pose[:] = rng.normal(size=model.nq)
        pose[free] += model.qpos0[free]
        pose[held] = rng.uniform(low, high)
    return poses
