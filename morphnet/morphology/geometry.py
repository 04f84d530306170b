"""Where bodies end: bounding boxes of what collides, in the start pose."""

import dataclasses

import mujoco
import numpy as np

UPRIGHT = 0.99


@dataclasses.dataclass(frozen=True)
class Extents:
    """Bounding boxes of the robot's bodies, along the world's axes.

    Attributes:
        low: (num_bodies, 3) m, lower corners.
        high: (num_bodies, 3) m, upper corners.
        radius: (num_bodies,) m, bounding sphere of the largest geom.
        collides: (num_bodies,) bool, whether any geom of the body can touch another.
        friction: (num_bodies,) largest sliding friction coefficient of the colliding geoms, 0 if none.
    """

    low: np.ndarray
    high: np.ndarray
    radius: np.ndarray
    collides: np.ndarray
    friction: np.ndarray

    @property
    def robot_size(self) -> float:
        """Half the diagonal of the whole robot's box in m, at least a millimetre."""
        return max(float(np.linalg.norm(self.high.max(axis=0) - self.low.min(axis=0))) / 2, 1e-3)


def body_extents(model: mujoco.MjModel, data: mujoco.MjData, body_ids: np.ndarray) -> Extents:
    """Measure bodies by their colliding geoms; a body without any by the box that has its mass and inertia.

    Geoms that collide with nothing are looks, and looks are no part of a morphology.

    Args:
        model: The compiled model.
        data: Its state in the start pose, poses computed.
        body_ids: (num_bodies,) MjModel body ids.
    """
    low, high, radius = _inertia_boxes(model, data, body_ids)
    collides = np.zeros(len(body_ids), dtype=bool)
    friction = np.zeros(len(body_ids))
    touching = colliding_geoms(model) & (model.geom_type != mujoco.mjtGeom.mjGEOM_PLANE)
    centres, halves = _geom_boxes(model, data)
    for index, body in enumerate(body_ids):
        geoms = model.body_geomadr[body] + np.arange(model.body_geomnum[body])
        geoms = geoms[touching[geoms]]
        if geoms.size == 0:
            continue
        low[index] = (centres[geoms] - halves[geoms]).min(axis=0)
        high[index] = (centres[geoms] + halves[geoms]).max(axis=0)
        radius[index] = model.geom_rbound[geoms].max()
        collides[index] = True
        friction[index] = model.geom_friction[geoms, 0].max()
    return Extents(low, high, radius, collides, friction)


def colliding_geoms(model: mujoco.MjModel) -> np.ndarray:
    """(ngeom,) bool: geoms that can touch another, by their masks or by an explicit contact pair."""
    touching = (model.geom_contype != 0) | (model.geom_conaffinity != 0)
    touching[model.pair_geom1] = True
    touching[model.pair_geom2] = True
    return touching


def floor_height(model: mujoco.MjModel, data: mujoco.MjData) -> float:
    """World z in m of the highest level plane that is part of the world; 0 in a file without a floor."""
    upright = data.geom_xmat[:, 8] > UPRIGHT
    fixed = colliding_geoms(model) & (model.geom_bodyid == 0)
    floors = (model.geom_type == mujoco.mjtGeom.mjGEOM_PLANE) & fixed & upright
    return float(data.geom_xpos[floors, 2].max()) if floors.any() else 0.0


def _geom_boxes(model: mujoco.MjModel, data: mujoco.MjData) -> tuple[np.ndarray, np.ndarray]:
    """Centres and half extents of the geoms' boxes along the world's axes, both (ngeom, 3) m; exact for primitives."""
    rotation, size, kind = data.geom_xmat.reshape(-1, 3, 3), model.geom_size, model.geom_type[:, None]
    along = np.abs(rotation[:, :, 2])
    radius, length = size[:, :1], size[:, 1:2]
    local, half = model.geom_aabb[:, :3], model.geom_aabb[:, 3:]
    shapes = {
        mujoco.mjtGeom.mjGEOM_SPHERE: np.broadcast_to(radius, along.shape),
        mujoco.mjtGeom.mjGEOM_CAPSULE: along * length + radius,
        mujoco.mjtGeom.mjGEOM_CYLINDER: along * length + np.sqrt(np.maximum(0.0, 1.0 - along**2)) * radius,
        mujoco.mjtGeom.mjGEOM_ELLIPSOID: np.linalg.norm(rotation * size[:, None], axis=2),
    }
    known = [kind == shape for shape in shapes]
    centres = np.where(np.any(known, axis=0), 0.0, np.einsum("nij,nj->ni", rotation, local)) + data.geom_xpos
    return centres, np.select(known, list(shapes.values()), np.einsum("nij,nj->ni", np.abs(rotation), half))


def _inertia_boxes(
    model: mujoco.MjModel, data: mujoco.MjData, body_ids: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lower and upper corners (n, 3) and bounding radius (n,) of the uniform boxes of equal inertia."""
    inertia = model.body_inertia[body_ids]
    mass = np.maximum(model.body_mass[body_ids], 1e-9)[:, None]
    squares = 1.5 * (inertia.sum(axis=1, keepdims=True) - 2.0 * inertia) / mass
    half = np.sqrt(np.maximum(squares, 0.0))
    half_world = np.einsum("nij,nj->ni", np.abs(data.ximat[body_ids].reshape(-1, 3, 3)), half)
    centre = data.xipos[body_ids]
    return centre - half_world, centre + half_world, np.linalg.norm(half, axis=1)
