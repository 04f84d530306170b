"""A floor without an edge."""

from __future__ import annotations

import math

import mujoco
import numpy as np

REACH_RADII = 60.0  # half a side; the haze of ``scene`` has swallowed everything long before


def tile_size(radius: float) -> float:
    """Return how large (m) the tiles of a floor are for a robot of this size: a power of two, near enough."""
    return float(2.0 ** round(math.log2(radius)))


def world_planes(model: mujoco.MjModel) -> np.ndarray:
    """Return the ids of the planes that never move."""
    return np.flatnonzero((model.geom_type == mujoco.mjtGeom.mjGEOM_PLANE) & (model.geom_bodyid == 0))


def is_bare(model: mujoco.MjModel, plane: int) -> bool:
    """Whether a plane has no texture."""
    material = model.geom_matid[plane]
    return bool(material < 0 or np.all(model.mat_texid[material] < 0))


def take_edges_away(model: mujoco.MjModel, radius: float) -> None:
    """Let MuJoCo draw the world's planes wherever the camera is, with tiles that fit a robot of this size."""
    planes = world_planes(model)
    model.geom_size[planes, :2] = 0.0
    others = np.delete(model.geom_matid, planes)
    own = np.setdiff1d(model.geom_matid[planes], [*others, -1])
    model.mat_texrepeat[own] = 1.0 / tile_size(radius)


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
        self._tiles = [
            np.full(2, tile_size(radius)) if is_bare(model, plane) else 1.0 / model.mat_texrepeat[material]
            for plane, material in zip(self._planes, materials, strict=True)
        ]

    def follow(self, data: mujoco.MjData, point: np.ndarray) -> None:
        """Bring the planes in ``data``, whose kinematics are up to date, under ``point``."""
        for plane, home, axes, tile in zip(self._planes, self._home, self._axes, self._tiles, strict=True):
            away = axes[:, :2].T @ (point - home)
            data.geom_xpos[plane] = home + axes[:, :2] @ (np.round(away / tile) * tile)


def _matrix(quat: np.ndarray) -> np.ndarray:
    matrix = np.empty(9)
    mujoco.mju_quat2Mat(matrix, quat)
    return matrix.reshape(3, 3)
