"""A sky and lines on the floor, for models that have none: without them nobody sees that a robot moves."""

from __future__ import annotations

import mujoco
import numpy as np

from morphnet.rendering.floor import is_bare, tile_size, world_planes

FAR_RADII = 40.0  # behind all haze
LINES = 15  # on either side of the robot
LINE_WIDTH_RADII = 0.02
LINE_SHADE = 0.75  # of the floor's own colour


class Backdrop:
    """Geometry that only the pictures have."""

    def __init__(self, model: mujoco.MjModel, radius: float) -> None:
        """Look at what ``model`` lacks.

        Args:
            model: a copy that is only used for pictures.
            radius: the robot's size.
        """
        self._radius = radius
        self._needs_sky = not np.any(model.tex_type == mujoco.mjtTexture.mjTEXTURE_SKYBOX)
        self._sky = np.array(model.vis.rgba.fog)
        bare = [plane for plane in world_planes(model) if is_bare(model, plane)]
        self._floor = bare[0] if bare else None
        self._line = np.append(LINE_SHADE * _colour(model, bare[0]), 1.0) if bare else np.ones(4)

    def add_to(self, scene: mujoco.MjvScene, data: mujoco.MjData, camera: mujoco.MjvCamera) -> None:
        """Add what is missing to a scene that ``mjv_updateScene`` has just filled."""
        if self._needs_sky:
            self._add_sky(scene, camera)
        if self._floor is not None:
            position, axes = data.geom_xpos[self._floor], data.geom_xmat[self._floor].reshape(3, 3)
            self._add_lines(scene, position, axes, np.array(camera.lookat))

    def _add_sky(self, scene: mujoco.MjvScene, camera: mujoco.MjvCamera) -> None:
        """Put a wall into the haze behind the robot."""
        azimuth = np.radians(camera.azimuth)
        forward = np.array([np.cos(azimuth), np.sin(azimuth), 0.0])
        right = np.array([forward[1], -forward[0], 0.0])
        axes = np.stack([right, np.array([0.0, 0.0, 1.0]), -forward], axis=1)
        size, far = np.full(3, 4.0 * FAR_RADII * self._radius), FAR_RADII * self._radius
        add_shape(scene, mujoco.mjtGeom.mjGEOM_PLANE, size, np.array(camera.lookat) + far * forward, axes, self._sky)

    def _add_lines(self, scene: mujoco.MjvScene, home: np.ndarray, axes: np.ndarray, point: np.ndarray) -> None:
        """Draw a grid about ``point`` whose lines stay where they are in the world."""
        spacing = tile_size(self._radius)
        nearest = np.round(axes[:, :2].T @ (point - home) / spacing) * spacing
        size = np.array([LINES * spacing, LINE_WIDTH_RADII * self._radius, LINE_WIDTH_RADII * self._radius / 4.0])
        turned = axes[:, [1, 0, 2]] * (1.0, -1.0, 1.0)
        for offset in np.arange(-LINES, LINES + 1) * spacing:
            for frame, shift in ((axes, (0.0, offset)), (turned, (offset, 0.0))):
                centre = home + axes[:, :2] @ (nearest + shift)
                add_shape(scene, mujoco.mjtGeom.mjGEOM_BOX, size, centre, frame, self._line)


def _colour(model: mujoco.MjModel, plane: int) -> np.ndarray:
    material = model.geom_matid[plane]
    return np.array((model.geom_rgba[plane] if material < 0 else model.mat_rgba[material])[:3])


def add_shape(
    scene: mujoco.MjvScene,
    kind: mujoco.mjtGeom,
    size: np.ndarray,
    centre: np.ndarray,
    axes: np.ndarray,
    rgba: np.ndarray,
) -> None:
    """Add one shape to a scene, as ``mjv_initGeom`` takes it; nothing where the scene is full."""
    if scene.ngeom < scene.maxgeom:
        mujoco.mjv_initGeom(scene.geoms[scene.ngeom], kind, size, centre, axes.ravel(), rgba.astype(np.float32))
        scene.ngeom += 1
