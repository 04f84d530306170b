"""From states to pictures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import mujoco
import numpy as np

from morphnet.errors import RenderError
from morphnet.rendering import gl
from morphnet.rendering.camera import TrackingCamera
from morphnet.rendering.scene import Preset, bounding_radius, filming_model

MAX_GEOMS = 10_000
_STATE = mujoco.mjtState.mjSTATE_FULLPHYSICS


class OffscreenRenderer:
    """Draws a model into an array; like ``mujoco.Renderer``, but with a backend that is chosen late.

    Several may be open at once and take turns: each call makes its own context current.
    """

    def __init__(self, model: mujoco.MjModel, width: int, height: int, preset: Preset = Preset.FAST) -> None:
        """Open a context; ``model`` must have an offscreen buffer of at least ``width`` x ``height``."""
        self._model = model
        self._option = mujoco.MjvOption()
        self._rect = mujoco.MjrRect(0, 0, width, height)
        self._pixels = np.empty((height, width, 3), dtype=np.uint8)
        self.scene = mujoco.MjvScene(model, maxgeom=MAX_GEOMS)
        if preset is Preset.FAST:
            self.scene.flags[mujoco.mjtRndFlag.mjRND_SHADOW] = False
            self.scene.flags[mujoco.mjtRndFlag.mjRND_REFLECTION] = False
        self._context: Any = gl.new_context(width, height)
        self._context.make_current()
        self._drawing = mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_150)
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, self._drawing)

    def draw(self, data: mujoco.MjData, camera: mujoco.MjvCamera) -> np.ndarray:
        """Return a new (height, width, 3) picture of ``data``, whose kinematics must be up to date."""
        everything = mujoco.mjtCatBit.mjCAT_ALL
        mujoco.mjv_updateScene(self._model, data, self._option, None, camera, everything, self.scene)
        self._context.make_current()
        mujoco.mjr_render(self._rect, self.scene, self._drawing)
        mujoco.mjr_readPixels(self._pixels, None, self._rect, self._drawing)
        return self._pixels[::-1].copy()  # OpenGL's rows start at the bottom

    def close(self) -> None:
        """Give the context back."""
        if self._context is not None:
            with self._context.as_current():
                self._drawing.free()
            self._context.free()
            self._context = None

    def __enter__(self) -> OffscreenRenderer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def render_frames(
    model: mujoco.MjModel,
    states: np.ndarray,
    *,
    width: int = 640,
    height: int = 480,
    preset: Preset = Preset.FAST,
    root_body: int,
    planar: bool,
) -> Iterator[np.ndarray]:
    """Film a sequence of states, one uint8 (height, width, 3) picture each.

    Args:
        model: the compiled body; it is not changed.
        states: (frames, mj_stateSize(mjSTATE_FULLPHYSICS)) states, or (frames, nq) positions.
        width: of the pictures, in pixels.
        height: of the pictures, in pixels.
        preset: FAST or QUALITY.
        root_body: the body that the camera follows, with all that is attached to it.
        planar: whether the body moves in a plane, which is then in full view.

    Raises:
        RenderError: no OpenGL, or states that do not fit the model. Raised by the call itself.
    """
    if states.ndim != 2 or states.shape[1] not in (model.nq, mujoco.mj_stateSize(model, _STATE)):
        expected = f"(frames, {model.nq}) or (frames, {mujoco.mj_stateSize(model, _STATE)})"
        raise RenderError(f"states have shape {states.shape}; expected {expected}")
    filmer = Filmer(model, width=width, height=height, preset=preset, root_body=root_body, planar=planar)

    def film() -> Iterator[np.ndarray]:
        try:
            for state in states:
                yield filmer.picture(state)
        finally:
            filmer.close()

    return film()


class Filmer:
    """Takes pictures of one body, state by state, with a camera that follows it."""

    def __init__(
        self,
        model: mujoco.MjModel,
        *,
        width: int = 640,
        height: int = 480,
        preset: Preset = Preset.FAST,
        root_body: int,
        planar: bool,
    ) -> None:
        """Find a backend and set up the scenery; arguments as for ``render_frames``.

        Raises:
            RenderError: no OpenGL.
        """
        gl.choose_backend()
        radius = bounding_radius(model, root_body)
        self._camera = TrackingCamera(model, root_body, planar=planar, radius=radius, aspect=width / height)
        self._model = filming_model(model, width, height, preset, root_body, radius)
        self._data = mujoco.MjData(self._model)
        self._size, self._preset = (width, height), preset
        self._renderer: OffscreenRenderer | None = None

    def picture(self, state: np.ndarray) -> np.ndarray:
        """Return a uint8 (height, width, 3) picture of positions (nq,) or of a full physics state."""
        # opened late: a film that is never played holds no context
        self._renderer = self._renderer or OffscreenRenderer(self._model, *self._size, self._preset)
        _place(self._model, self._data, np.ascontiguousarray(state, dtype=np.float64))
        return self._renderer.draw(self._data, self._camera.follow(self._data))

    def close(self) -> None:
        """Give the context back."""
        if self._renderer is not None:
            self._renderer.close()
            self._renderer = None


def _place(model: mujoco.MjModel, data: mujoco.MjData, state: np.ndarray) -> None:
    """Put ``data`` into ``state`` and compute what pictures need: no collisions, no dynamics."""
    if len(state) == model.nq:
        data.qpos[:] = state
    else:
        mujoco.mj_setState(model, data, state, _STATE)
    mujoco.mj_kinematics(model, data)
    mujoco.mj_comPos(model, data)
    mujoco.mj_camlight(model, data)
    mujoco.mj_flex(model, data)
    mujoco.mj_tendon(model, data)
