"""A floor without an edge."""

from __future__ import annotations

import math

import mujoco
import numpy as np

REACH_RADII = 60.0  # half a side; the haze of ``scene`` has swallowed everything long before


class EndlessFloor:
    """The world's planes, which move along under the robot by whole tiles, so that nobody sees them move.

    MuJoCo draws a plane of size 0 without an edge too, at twice the cost of everything else in a picture.
    """

    def __init__(self, model: mujoco.MjModel, radius: float) -> None:
        """Change the planes of ``model`` and their tiles.

        Args:
            model: a copy that is only used for pictures.
            radius: the robot's size, which the tiles fit, so that motion shows.
        """
        is_plane = model.geom_type == mujoco.mjtGeom.mjGEOM_PLANE
        self._planes = np.flatnonzero(is_plane & (model.geom_bodyid == 0))
        model.geom_size[self._planes] = REACH_RADII * radius
        self._home = model.geom_pos[self._planes].copy()
        self._axes = np.array([_matrix(quat) for quat in model.geom_quat[self._planes]]).reshape(-1, 3, 3)
        materials = model.geom_matid[self._planes]
        own = np.setdiff1d(materials, [*model.geom_matid[~is_plane], -1])
        model.mat_texrepeat[own] = 1.0 / 2.0 ** round(math.log2(radius))
        model.mat_texuniform[materials[materials >= 0]] = True  # tiles count per metre, not per plane
        self._tile = np.where(materials[:, None] >= 0, 1.0 / model.mat_texrepeat[materials], radius)

    def follow(self, data: mujoco.MjData, point: np.ndarray) -> None:
        """Bring the planes in ``data``, whose kinematics are up to date, under ``point``."""
        for index, plane in enumerate(self._planes):
            axes, tile = self._axes[index][:, :2], self._tile[index]
            away = axes.T @ (point - self._home[index])
            data.geom_xpos[plane] = self._home[index] + axes @ (np.round(away / tile) * tile)


def _matrix(quat: np.ndarray) -> np.ndarray:
    matrix = np.empty(9)
    mujoco.mju_quat2Mat(matrix, quat)
    return matrix.reshape(3, 3)
