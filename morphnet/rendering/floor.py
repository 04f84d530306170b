"""A floor without an edge."""

from __future__ import annotations

import math

import mujoco
import numpy as np

REACH_RADII = 60.0  # half a side; the haze of ``scene`` has swallowed everything long before


def world_planes(model: mujoco.MjModel) -> np.ndarray:
    """Return the ids of the planes that never move."""
    return np.flatnonzero((model.geom_type == mujoco.mjtGeom.mjGEOM_PLANE) & (model.geom_bodyid == 0))


def take_edges_away(model: mujoco.MjModel, radius: float) -> None:
    """Let MuJoCo draw the world's planes wherever the camera is, with tiles that fit a robot of this size."""
    planes = world_planes(model)
    model.geom_size[planes, :2] = 0.0
    others = np.delete(model.geom_matid, planes)
    own = np.setdiff1d(model.geom_matid[planes], [*others, -1])
    model.mat_texrepeat[own] = 1.0 / 2.0 ** round(math.log2(radius))


class EndlessFloor:
    """The world's planes, which move along under the robot by whole tiles, so that nobody sees them move.

    For a film, at half the cost of planes without edges: those take MuJoCo longer than all else in a picture.
    """

    def __init__(self, model: mujoco.MjModel, radius: float) -> None:
        """Change the planes of ``model`` and their tiles.

        Args:
            model: a copy that is only used for pictures.
            radius: the robot's size, which the tiles fit, so that motion shows.
        """
        take_edges_away(model, radius)
        self._planes = world_planes(model)
        model.geom_size[self._planes] = REACH_RADII * radius
        self._home = model.geom_pos[self._planes].copy()
        self._axes = np.array([_matrix(quat) for quat in model.geom_quat[self._planes]]).reshape(-1, 3, 3)
        materials = model.geom_matid[self._planes]
        model.mat_texuniform[materials[materials >= 0]] = True  # tiles go on counting per metre, not per plane
        self._tiles = np.array([1.0 / model.mat_texrepeat[m] if m >= 0 else (radius, radius) for m in materials])

    def follow(self, data: mujoco.MjData, point: np.ndarray) -> None:
        """Bring the planes in ``data``, whose kinematics are up to date, under ``point``."""
        for plane, home, axes, tile in zip(self._planes, self._home, self._axes, self._tiles, strict=True):
            away = axes[:, :2].T @ (point - home)
            data.geom_xpos[plane] = home + axes[:, :2] @ (np.round(away / tile) * tile)


def _matrix(quat: np.ndarray) -> np.ndarray:
    matrix = np.empty(9)
    mujoco.mju_quat2Mat(matrix, quat)
    return matrix.reshape(3, 3)
