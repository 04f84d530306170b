"""Physical features of bodies in the start pose."""

import mujoco
import numpy as np

from morphnet.morphology import scaling
from morphnet.morphology.geometry import Extents, floor_height
from morphnet.morphology.skeleton import Skeleton

# Name -> what is squashed, and its unit. All vectors are along the world's axes.
BODY_FEATURE_UNITS = {
    "mass": "kg, logarithmic",
    "mass_fraction": "share of the robot's mass",
    "inertia_1": "kg m^2, logarithmic, largest principal moment",
    "inertia_2": "kg m^2, logarithmic",
    "inertia_3": "kg m^2, logarithmic, smallest principal moment",
    "com_x": "m, centre of mass from the body's origin",
    "com_y": "m",
    "com_z": "m",
    "from_parent_x": "m, from the parent's origin; 0 for a child of the world",
    "from_parent_y": "m",
    "from_parent_z": "m",
    "from_root_x": "m, from the root body's origin",
    "from_root_y": "m",
    "from_root_z": "m",
    "forward_x": "first column of the rotation matrix",
    "forward_y": "",
    "forward_z": "",
    "left_x": "second column of the rotation matrix",
    "left_y": "",
    "left_z": "",
    "height": "m, origin above the floor",
    "lowest_above_floor": "m, lowest point above the floor",
    "lowest_from_root": "m, lowest point above the root body's origin",
    "extent_x": "m, half the bounding box",
    "extent_y": "m",
    "extent_z": "m",
    "radius": "m, bounding sphere of the largest geom",
    "friction": "sliding coefficient, largest of the geoms",
    "collides": "0 or 1",
    "num_dofs": "degrees of freedom towards the parent / 3",
    "depth": "bodies between this one and the world / 8",
    "is_root": "0 or 1",
    "gravity_compensation": "fraction of its weight",
    "gravity": "world's downward gravity / 9.81 m/s^2",
    "fluid_density": "kg/m^3, logarithmic, of the model's medium",
    "fluid_viscosity": "Pa s, logarithmic, of the model's medium",
}
BODY_FEATURE_NAMES = tuple(BODY_FEATURE_UNITS)
BODY_FEATURES = len(BODY_FEATURE_NAMES)


def body_features(model: mujoco.MjModel, data: mujoco.MjData, skeleton: Skeleton, extents: Extents) -> np.ndarray:
    """Features of the robot's bodies, named by ``BODY_FEATURE_NAMES``.

    Args:
        model: The compiled model.
        data: Its state in the start pose, poses computed.
        skeleton: The robot.
        extents: Bounding boxes of its bodies.

    Returns:
        (num_bodies, BODY_FEATURES) float32.
    """
    columns = _inertial(model, data, skeleton) | _placement(data, skeleton) | _shape(model, data, skeleton, extents)
    return scaling.stack(columns | _surroundings(model, skeleton), BODY_FEATURE_NAMES)


def _inertial(model: mujoco.MjModel, data: mujoco.MjData, skeleton: Skeleton) -> dict[str, np.ndarray]:
    ids = skeleton.body_ids
    mass = model.body_mass[ids]
    principal = -np.sort(-model.body_inertia[ids], axis=1)
    columns = {
        "mass": scaling.log(mass, floor=1e-6),
        "mass_fraction": mass / max(mass.sum(), 1e-9),
    }
    for i in range(3):
        columns[f"inertia_{i + 1}"] = scaling.log(principal[:, i], floor=1e-9, unit=0.01)
    return columns | scaling.xyz("com", scaling.length(data.xipos[ids] - data.xpos[ids]))


def _placement(data: mujoco.MjData, skeleton: Skeleton) -> dict[str, np.ndarray]:
    position = data.xpos[skeleton.body_ids]
    # Children of the world are measured from themselves: where the robot stands must not matter.
    parent = np.where(skeleton.body_parent < 0, np.arange(len(position)), skeleton.body_parent)
    rotation = data.xmat[skeleton.body_ids].reshape(-1, 3, 3)
    return (
        scaling.xyz("from_parent", scaling.length(position - position[parent]))
        | scaling.xyz("from_root", scaling.length(position - data.xpos[skeleton.root_body]))
        | scaling.xyz("forward", rotation[:, :, 0])
        | scaling.xyz("left", rotation[:, :, 1])
    )


def _shape(model: mujoco.MjModel, data: mujoco.MjData, skeleton: Skeleton, extents: Extents) -> dict[str, np.ndarray]:
    floor = floor_height(model, data)
    lowest = extents.low[:, 2]
    return {
        "height": scaling.length(data.xpos[skeleton.body_ids, 2] - floor),
        "lowest_above_floor": scaling.length(lowest - floor),
        "lowest_from_root": scaling.length(lowest - data.xpos[skeleton.root_body, 2]),
        **scaling.xyz("extent", scaling.length((extents.high - extents.low) / 2)),
        "radius": scaling.length(extents.radius),
        "friction": scaling.signed_log(extents.friction),
        "collides": extents.collides.astype(float),
    }


def _surroundings(model: mujoco.MjModel, skeleton: Skeleton) -> dict[str, np.ndarray]:
    ids = skeleton.body_ids
    everywhere = np.ones(len(ids))
    return {
        "num_dofs": model.body_dofnum[ids] / 3.0,
        "depth": _depths(skeleton.body_parent) / 8.0,
        "is_root": (ids == skeleton.root_body).astype(float),
        "gravity_compensation": model.body_gravcomp[ids],
        "gravity": everywhere * (-model.opt.gravity[2] / scaling.STANDARD_GRAVITY),
        "fluid_density": everywhere * scaling.signed_log(model.opt.density) / 5.0,
        "fluid_viscosity": everywhere * scaling.signed_log(model.opt.viscosity, unit=1e-3) / 5.0,
    }


def _depths(parents: np.ndarray) -> np.ndarray:
    """(num_bodies,) number of ancestors; parents come before their children."""
    depths = np.zeros(len(parents))
    for body, parent in enumerate(parents):
        if parent >= 0:
            depths[body] = depths[parent] + 1
    return depths
