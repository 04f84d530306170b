"""From states to pictures."""

from __future__ import annotations

from typing import Any

import mujoco
import numpy as np

from morphnet.bodies import Body
from morphnet.errors import RenderError
from morphnet.look import Preset
from morphnet.rendering import gl
from morphnet.rendering.backdrop import Backdrop, add_shape
from morphnet.rendering.camera import TrackingCamera
from morphnet.rendering.floor import EndlessFloor
from morphnet.rendering.scene import bounding_radius, filming_model

MAX_GEOMS = 10_000
GOAL_COLOUR = np.array([0.85, 0.25, 0.15, 1.0])


class OffscreenRenderer:
    """Draws a model into an array; like ``mujoco.Renderer``, but with a backend that is chosen late.

    Several may be open at once and take turns: each call makes its own context current.
    """

    def __init__(self, model: mujoco.MjModel, backdrop: Backdrop, width: int, height: int, preset: Preset) -> None:
        """Open a context; ``model`` must have an offscreen buffer of at least ``width`` x ``height``."""
        self._model = model
        self._option = mujoco.MjvOption()
        self._rect = mujoco.MjrRect(0, 0, width, height)
        self._pixels = np.empty((height, width, 3), dtype=np.uint8)
        self._backdrop = backdrop
        self._scene = mujoco.MjvScene(model, maxgeom=MAX_GEOMS)
        self._scene.flags[mujoco.mjtRndFlag.mjRND_FOG] = True
        if preset is Preset.FAST:
            self._scene.flags[mujoco.mjtRndFlag.mjRND_SHADOW] = False
            self._scene.flags[mujoco.mjtRndFlag.mjRND_REFLECTION] = False
        self._context: Any = gl.new_context(width, height)
        self._context.make_current()
        self._drawing = mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_150)
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, self._drawing)

    def draw(self, data: mujoco.MjData, camera: mujoco.MjvCamera, goal: np.ndarray | None, size: float) -> np.ndarray:
        """Return a new (height, width, 3) picture of ``data``, whose kinematics must be up to date.

        A ball of the radius ``size`` (m) marks the ``goal``, where there is one.
        """
        everything = mujoco.mjtCatBit.mjCAT_ALL
        mujoco.mjv_updateScene(self._model, data, self._option, None, camera, everything, self._scene)
        self._backdrop.add_to(self._scene, data, camera)
        if goal is not None:
            add_shape(self._scene, mujoco.mjtGeom.mjGEOM_SPHERE, np.full(3, size), goal, np.eye(3), GOAL_COLOUR)
        self._context.make_current()
        mujoco.mjr_render(self._rect, self._scene, self._drawing)
        mujoco.mjr_readPixels(self._pixels, None, self._rect, self._drawing)
        return self._pixels[::-1].copy()  # OpenGL's rows start at the bottom

    def close(self) -> None:
        """Give the context back."""
        if self._context is not None:
            with self._context.as_current():
                self._drawing.free()
            self._context.free()
            self._context = None


class Filmer:
    """Takes pictures of one body, state by state, with a camera that follows it."""

    def __init__(self, body: Body, width: int = 640, height: int = 480, preset: Preset = Preset.FAST) -> None:
        """Find a backend and set up the scenery.

        Args:
            body: the body; its model is not changed.
            width: of the pictures, in pixels.
            height: of the pictures, in pixels.
            preset: FAST or QUALITY.

        Raises:
            RenderError: no OpenGL.
        """
        gl.choose_backend()
        root_body = body.graph.root_body
        radius = bounding_radius(body.model, root_body)
        self._camera = TrackingCamera(body, aspect=width / height)
        self._model = filming_model(body.model, width, height, preset, root_body, radius)
        self._floor = EndlessFloor(self._model, radius)
        self._backdrop = Backdrop(self._model, radius)
        self._data = mujoco.MjData(self._model)
        self._size, self._preset, self._goal_size = (width, height), preset, body.task.goal_tolerance
        self._renderer: OffscreenRenderer | None = None

    def picture(self, qpos: np.ndarray, goal: np.ndarray | None = None) -> np.ndarray:
        """Return a uint8 (height, width, 3) picture of the body at ``qpos`` (nq,), and of its goal (3,).

        Raises:
            RenderError: ``qpos`` is another body's.
        """
        if np.shape(qpos) != (self._model.nq,):
            raise RenderError(f"qpos has shape {np.shape(qpos)}; expected ({self._model.nq},)")
        # opened late: a film that is never played holds no context
        self._renderer = self._renderer or OffscreenRenderer(self._model, self._backdrop, *self._size, self._preset)
        self._data.qpos[:] = qpos
        _update(self._model, self._data)
        view = self._camera.follow(self._data)
        self._floor.follow(self._data, view.lookat)
        return self._renderer.draw(self._data, view, goal, self._goal_size)

    def close(self) -> None:
        """Give the context back."""
        if self._renderer is not None:
            self._renderer.close()
            self._renderer = None

    def __enter__(self) -> Filmer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _update(model: mujoco.MjModel, data: mujoco.MjData) -> None:
    """Compute what pictures need: no collisions, no dynamics."""
    mujoco.mj_kinematics(model, data)
    mujoco.mj_comPos(model, data)
    mujoco.mj_camlight(model, data)
    mujoco.mj_flex(model, data)
    mujoco.mj_tendon(model, data)
