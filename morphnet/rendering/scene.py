"""A copy of a model that is fit to be filmed: buffers, endless floor, lights that follow."""

from __future__ import annotations

import copy
import enum
import math

import mujoco
import numpy as np

FIELD_OF_VIEW = 45.0


class Preset(enum.Enum):
    """How much work goes into a picture; FAST is ten times faster on a CPU."""

    FAST = "fast"
    QUALITY = "quality"


def subtree_bodies(model: mujoco.MjModel, root_body: int) -> np.ndarray:
    """Return the ids of ``root_body`` and of everything attached below it."""
    inside = np.zeros(model.nbody, dtype=bool)
    inside[root_body] = True
    for body in range(root_body + 1, model.nbody):  # parents come before their children
        inside[body] |= inside[model.body_parentid[body]]
    return np.flatnonzero(inside)


def bounding_radius(model: mujoco.MjModel, root_body: int) -> float:
    """Return the radius of the sphere about the robot's centre of mass that holds it, in its first pose."""
    data = mujoco.MjData(model)
    mujoco.mj_kinematics(model, data)
    mujoco.mj_comPos(model, data)
    geoms = np.isin(model.geom_bodyid, subtree_bodies(model, root_body)) & (model.geom_rbound > 0)
    if not geoms.any():
        return 1.0
    centres = data.geom_xpos[geoms] - data.subtree_com[root_body]
    return max(float(np.max(np.linalg.norm(centres, axis=1) + model.geom_rbound[geoms])), 0.01)


def filming_model(
    model: mujoco.MjModel, width: int, height: int, preset: Preset, root_body: int, radius: float
) -> mujoco.MjModel:
    """Copy ``model`` and set up the copy for pictures; physics must go on in the original.

    Args:
        model: the compiled body.
        width: of the pictures, in pixels.
        height: of the pictures, in pixels.
        preset: FAST switches multisampling off and draws round things with fewer facets.
        root_body: the body that the lights follow.
        radius: the robot's size, which sets the near and far planes.
    """
    model = copy.copy(model)
    view = model.vis.global_
    view.offwidth, view.offheight = max(width, view.offwidth), max(height, view.offheight)
    view.fovy = FIELD_OF_VIEW
    # Near and far planes and fog are multiples of the extent; a far obstacle would blow it up.
    model.stat.extent = 2.0 * radius
    if preset is Preset.FAST:
        model.vis.quality.offsamples = 0
        model.vis.quality.numslices, model.vis.quality.numstacks = 16, 10
    _make_floor_endless(model, radius)
    _match_haze_to_sky(model)
    _let_lights_follow(model, root_body)
    return model


def _make_floor_endless(model: mujoco.MjModel, radius: float) -> None:
    """Give the world's planes no edge: MuJoCo draws a plane of size 0 wherever the camera is."""
    is_plane = model.geom_type == mujoco.mjtGeom.mjGEOM_PLANE
    planes = is_plane & (model.geom_bodyid == 0)
    model.geom_size[planes, :2] = 0.0
    # Textures now repeat per metre instead of per plane: fit their tiles to the robot, so that motion shows.
    materials = set(model.geom_matid[planes]) - set(model.geom_matid[~is_plane]) - {-1}
    for material in materials:
        model.mat_texrepeat[material] = 1.0 / 2.0 ** round(math.log2(radius))


def _match_haze_to_sky(model: mujoco.MjModel) -> None:
    """Let the floor fade into the sky's colour at the horizon, and not into MuJoCo's white."""
    skies = np.flatnonzero(model.tex_type == mujoco.mjtTexture.mjTEXTURE_SKYBOX)
    colour = np.zeros(3)
    if len(skies):
        sky = skies[0]
        side, channels = int(model.tex_width[sky]), int(model.tex_nchannel[sky])
        start = int(model.tex_adr[sky]) + (side // 2) * side * channels  # first face, middle row
        row = model.tex_data[start : start + side * channels].reshape(side, channels)
        colour = row[:, :3].mean(axis=0) / 255.0
    model.vis.rgba.haze = (*colour, 1.0)


def _let_lights_follow(model: mujoco.MjModel, root_body: int) -> None:
    """Move the world's lights along with the robot; brighten the headlight where there are none."""
    if not model.nlight:
        headlight = model.vis.headlight
        headlight.active = 1
        headlight.ambient, headlight.diffuse = (0.35,) * 3, (0.6,) * 3
        return
    data = mujoco.MjData(model)
    mujoco.mj_kinematics(model, data)
    mujoco.mj_comPos(model, data)
    fixed = (model.light_bodyid == 0) & (model.light_mode == mujoco.mjtCamLight.mjCAMLIGHT_FIXED)
    model.light_mode[fixed] = mujoco.mjtCamLight.mjCAMLIGHT_TRACKCOM
    model.light_bodyid[fixed] = root_body
    model.light_poscom0[fixed] = model.light_pos[fixed] - data.subtree_com[root_body]
    model.light_dir0[fixed] = model.light_dir[fixed]
