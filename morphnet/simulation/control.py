"""Control ranges: actions in [-1, 1] and ctrl in MuJoCo's units."""

from __future__ import annotations

import mujoco
import numpy as np

from morphnet.morphology.strength import control_range
from morphnet.simulation.compiled import compiled, reads, writes


class ControlScale:
    """Affine map between actions in [-1, 1] and ctrl; an unlimited control is taken to run from -1 to 1.

    Attributes:
        low, high: (nu,) ends of the control ranges.
        centre, half: (nu,) their middles and half widths.
    """

    def __init__(self, model: mujoco.MjModel) -> None:
        """Read the ranges of ``model``."""
        self.low, self.high = control_range(model).astype(np.float64).T
        self.centre, self.half = (self.low + self.high) / 2, np.maximum((self.high - self.low) / 2, 1e-9)
        self._write = compiled(_write_ctrl, reads(2), *(reads(1) for _ in range(4)), writes(2))

    def to_ctrl(self, action: np.ndarray) -> np.ndarray:
        """Clip actions (..., nu) to [-1, 1] and return ctrl, float64; an action that is no number counts as 0."""
        action = np.asarray(action, np.float64)
        ctrl = np.empty(action.shape)
        self.write_ctrl(action.reshape(-1, len(self.low)), ctrl.reshape(-1, len(self.low)))
        return ctrl

    def write_ctrl(self, action: np.ndarray, out: np.ndarray) -> None:
        """Do as ``to_ctrl`` for actions (n, nu), into ``out`` (n, nu) float64.

        Raises:
            ValueError: the shapes differ.
        """
        if np.shape(action) != out.shape:  # the compiled loop checks nothing, and ``out`` is MuJoCo's own memory
            raise ValueError(f"actions of shape {np.shape(action)}: expected {out.shape}")
        self._write(np.asarray(action, np.float64), self.low, self.high, self.centre, self.half, out)

    def to_action(self, ctrl: np.ndarray) -> np.ndarray:
        """Return ctrl (..., nu) as clipped actions, float64."""
        return np.clip((ctrl - self.centre) / self.half, -1.0, 1.0)


def _write_ctrl(
    action: np.ndarray, low: np.ndarray, high: np.ndarray, centre: np.ndarray, half: np.ndarray, out: np.ndarray
) -> None:
    for sim in range(action.shape[0]):
        for index in range(action.shape[1]):
            value = action[sim, index]
            value = 0.0 if np.isnan(value) else min(max(value, -1.0), 1.0)
            ctrl = centre[index] + half[index] * value
            out[sim, index] = min(max(ctrl, low[index]), high[index])  # rounding may have left the range
