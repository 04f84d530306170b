"""What is wrong with a body, if anything: the invariants that every grown or mutated body holds."""

from __future__ import annotations

import hashlib
import itertools

import mujoco
import numpy as np

from morphnet.bodies import Body
from morphnet.morphology.geometry import body_extents, floor_height

SUNK, HIGHEST_FOOT = 1e-3, 0.015
"""How deep a contact may be, and how high the lowest point may lie above the floor, in the start pose (m)."""
GAP = 0.005
"""Between limbs that do not hang on one another (m)."""
CLOSEST = 0.03
"""Between the origins of two bodies (m): those that coincide are told apart by nothing but their names."""
STANDING_SECONDS, SAG, LEAN = 1.0, 0.75, 0.4
"""Without control a creature keeps this share of its height and stays this upright (rad) for so long."""
RANDOM_STEPS, FASTEST = 1000, 150.0
"""Control steps under random control, and the velocity (m/s, rad/s) that nothing may reach in them."""
SLOWEST = 0.03
"""Change of velocity (m/s, rad/s) that half a control must give within three physics steps."""


def start_faults(body: Body) -> list[str]:
    """Return what is wrong with a body's start pose.

    Whether it reaches the floor matters only where it can fall, and heights only where its task limits them.
    """
    data = mujoco.MjData(body.model)
    mujoco.mj_forward(body.model, data)
    found = {
        "touches something in its start pose": any(contact.dist < -SUNK for contact in data.contact),
        "no foot reaches the floor": falls(body) and not clearance(body) < HIGHEST_FOOT,
        "starts outside of its task's limits": not _is_healthy(body, data),
    }
    return [fault for fault, is_so in found.items() if is_so]


def physics_fault(body: Body) -> str | None:
    """Return what is wrong with how a body moves, or None."""
    if _dead_actuators(body):
        return "an actuator moves nothing"
    return None if _is_stable(body) else "unstable under random control"


def stance_fault(body: Body) -> str | None:
    """Return what is wrong with how a creature stands: limbs in one another, or a fall without control."""
    data = mujoco.MjData(body.model)
    mujoco.mj_kinematics(body.model, data)
    places = data.xpos[body.graph.body_ids]
    apart = np.linalg.norm(places[:, None] - places[None], axis=-1) + np.eye(len(places))
    if apart.min() < CLOSEST or _limbs_overlap(body.model, data):
        return "limbs in one another"
    root, lowest = body.graph.root_body, SAG * data.xpos[body.graph.root_body, 2]
    for _ in range(round(STANDING_SECONDS / body.control_step)):
        mujoco.mj_step(body.model, data, body.frame_skip)
        if data.xpos[root, 2] < lowest or data.xmat[root, 8] < np.cos(LEAN):
            return "falls by itself"
    return None


def falls(body: Body) -> bool:
    """Whether there is a floor that gravity pulls the body to."""
    model = body.model
    has_floor = bool((model.geom_type[model.geom_bodyid == 0] == mujoco.mjtGeom.mjGEOM_PLANE).any())
    return has_floor and body.base.z_qpos is not None and model.opt.gravity[2] < 0


def clearance(body: Body) -> float:
    """Height of the body's lowest point above the floor in the start pose (m)."""
    data = mujoco.MjData(body.model)
    mujoco.mj_kinematics(body.model, data)
    extents = body_extents(body.model, data, body.graph.body_ids)
    return float(extents.low[:, 2].min()) - floor_height(body.model, data)


def physics_hash(model: mujoco.MjModel) -> str:
    """Hash what MuJoCo simulates of a model, to five digits and without names and looks."""
    solid = (model.geom_contype | model.geom_conaffinity) > 0
    values = (
        *(model.body_parentid, model.body_mass, model.body_inertia, model.body_pos, model.body_ipos),
        *(model.jnt_type, model.jnt_bodyid, model.jnt_axis, model.jnt_range, model.jnt_stiffness),
        *(model.dof_damping, model.dof_armature, model.geom_type[solid], model.geom_size[solid]),
        *(model.geom_pos[solid], model.geom_quat[solid], model.actuator_trnid, model.actuator_gear),
        *(model.actuator_ctrlrange, model.opt.timestep, model.opt.density, model.opt.viscosity),
    )
    digest = hashlib.sha256()
    for value in values:
        digest.update(np.round(np.asarray(value, np.float64), 5).tobytes())
    return digest.hexdigest()


def _is_healthy(body: Body, data: mujoco.MjData) -> bool:
    """Whether height and tilt are within the task's limits."""
    task, base, root = body.task, body.base, body.graph.root_body
    if task.height and base.z_qpos is not None and not task.height[0] < data.qpos[base.z_qpos] < task.height[1]:
        return False
    if task.angle and base.pitch_qpos is not None:
        return bool(task.angle[0] < data.qpos[base.pitch_qpos] < task.angle[1])
    mujoco.mj_kinematics(body.model, data)
    return task.tilt is None or bool(data.xmat[root, 8] > np.cos(task.tilt))


def _limbs_overlap(model: mujoco.MjModel, data: mujoco.MjData) -> bool:
    """Whether geoms are closer than ``GAP`` whose bodies are not joined."""
    geoms = np.flatnonzero(model.geom_bodyid > 0)
    for one, other in itertools.combinations(geoms.tolist(), 2):
        a, b = model.geom_bodyid[[one, other]]
        joined = a == b or model.body_parentid[b] == a or model.body_parentid[a] == b
        if not joined and mujoco.mj_geomDistance(model, data, one, other, GAP, None) < GAP:
            return True
    return False


def _dead_actuators(body: Body) -> list[int]:
    """Controls that change no velocity by ``SLOWEST`` within three physics steps of the start."""
    model = body.model
    low, high = _control_range(model)
    rest = (low + high) / 2

    def velocity(ctrl: np.ndarray) -> np.ndarray:
        data = mujoco.MjData(model)
        data.ctrl[:] = ctrl
        mujoco.mj_step(model, data, 3)
        return np.array(data.qvel)

    still = velocity(rest)
    half = (high - low) / 4 * np.eye(model.nu)
    return [index for index in range(model.nu) if np.abs(velocity(rest + half[index]) - still).max() < SLOWEST]


def _is_stable(body: Body) -> bool:
    """Whether random control leaves velocities small and MuJoCo without a warning."""
    model, data, rng = body.model, mujoco.MjData(body.model), np.random.default_rng(0)
    low, high = _control_range(model)
    for _ in range(RANDOM_STEPS):
        data.ctrl[:] = rng.uniform(low, high)
        mujoco.mj_step(model, data, body.frame_skip)
        if not np.abs(data.qvel).max() < FASTEST:
            return False
    return not any(warning.number for warning in data.warning)


def _control_range(model: mujoco.MjModel) -> tuple[np.ndarray, np.ndarray]:
    limited = model.actuator_ctrllimited.astype(bool)[:, None]
    low, high = np.where(limited, model.actuator_ctrlrange, [-1.0, 1.0]).T
    return low, high
