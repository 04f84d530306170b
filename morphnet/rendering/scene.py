"""A copy of a model that is fit to be filmed: buffers, haze, lights that follow."""

from __future__ import annotations

import copy

import mujoco
import numpy as np

from morphnet.look import Preset

FIELD_OF_VIEW = 45.0
HAZE_EXTENTS = (3.0, 14.0)  # where the haze begins and where it hides everything, in diameters of the robot
DEFAULT_SKY = (0.72, 0.79, 0.86)


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
    _haze_over(model)
    _let_lights_follow(model, root_body)
    return model


def _haze_over(model: mujoco.MjModel) -> None:
    """Let the floor fade into the sky's colour.

    MuJoCo then draws the sky in that one colour. Both are cheap, and far tiles do not flicker.
    """
    model.vis.rgba.fog = (*_horizon(model), 1.0)
    model.vis.map.fogstart, model.vis.map.fogend = HAZE_EXTENTS


def _horizon(model: mujoco.MjModel) -> np.ndarray:
    """Return the colour (0 to 1) of the sky's middle, or of a light one where the model has none."""
    skies = np.flatnonzero(model.tex_type == mujoco.mjtTexture.mjTEXTURE_SKYBOX)
    if not len(skies):
        return np.array(DEFAULT_SKY)
    sky = skies[0]
    side, channels = int(model.tex_width[sky]), int(model.tex_nchannel[sky])
    start = int(model.tex_adr[sky]) + (side // 2) * side * channels  # first face, middle row
    row = model.tex_data[start : start + side * channels].reshape(side, channels)
    colour: np.ndarray = row[:, :3].mean(axis=0) / 255.0
    return colour


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
