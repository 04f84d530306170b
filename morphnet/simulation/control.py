"""Control ranges: actions in [-1, 1] and ctrl in MuJoCo's units."""

from __future__ import annotations

import mujoco
import numpy as np

from morphnet.morphology.strength import control_range


class ControlScale:
    """Affine map between actions in [-1, 1] and ctrl; an unlimited control is taken to run from -1 to 1."""

    def __init__(self, model: mujoco.MjModel) -> None:
        """Read the ranges of ``model``."""
        self.low, self.high = control_range(model).astype(np.float64).T
        self._centre, self._half = (self.low + self.high) / 2, np.maximum((self.high - self.low) / 2, 1e-9)

    def to_ctrl(self, action: np.ndarray) -> np.ndarray:
        """Clip actions (..., nu) to [-1, 1] and return ctrl, float64."""
        ctrl = self._centre + self._half * np.clip(np.asarray(action, np.float64), -1.0, 1.0)
        return np.clip(ctrl, self.low, self.high)  # rounding may have left the range

    def to_action(self, ctrl: np.ndarray) -> np.ndarray:
        """Return ctrl (..., nu) as clipped actions, float64."""
        return np.clip((ctrl - self._centre) / self._half, -1.0, 1.0)
