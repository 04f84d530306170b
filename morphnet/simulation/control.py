"""Control ranges: actions in [-1, 1] and ctrl in MuJoCo's units."""

from __future__ import annotations

import mujoco
import numpy as np
from numba import types

from morphnet.morphology.strength import control_range
from morphnet.simulation.compiled import compiled, helper, owns, reads, writes

CONTROL = np.dtype([(name, np.float64) for name in ("low", "high", "centre", "half")])
"""A control: the ends of its range, its middle and half width."""
CONTROLS: types.Array = owns(1, CONTROL)


class ControlScale:
    """Affine map between actions in [-1, 1] and ctrl; an unlimited control is taken to run from -1 to 1.

    Attributes:
        low, high: (nu,) ends of the control ranges.
        centre, half: (nu,) their middles and half widths.
        table: all of them as ``CONTROL`` records, for compiled loops.
    """

    def __init__(self, model: mujoco.MjModel) -> None:
        """Read the ranges of ``model``."""
        self.low, self.high = control_range(model).astype(np.float64).T
        self.centre, self.half = (self.low + self.high) / 2, np.maximum((self.high - self.low) / 2, 1e-9)
        self.table = np.zeros(model.nu, CONTROL)
        for name in ("low", "high", "centre", "half"):
            self.table[name] = getattr(self, name)
        self._write = compiled(_write_ctrl, *_SIGNATURE)

    def to_ctrl(self, action: np.ndarray) -> np.ndarray:
        """Clip actions (..., nu) to [-1, 1] and return ctrl, float64; an action that is no number counts as 0."""
        action = np.asarray(action, np.float64)
        if action.shape[-1] != len(self.table):  # the compiled loop checks nothing
            raise ValueError(f"actions of shape {action.shape}: expected (..., {len(self.table)})")
        ctrl = np.empty(action.shape)
        self._write(action.reshape(-1, len(self.table)), self.table, ctrl.reshape(-1, len(self.table)))
        return ctrl

    def to_action(self, ctrl: np.ndarray) -> np.ndarray:
        """Return ctrl (..., nu) as clipped actions, float64."""
        return np.clip((ctrl - self.centre) / self.half, -1.0, 1.0)


@helper
def scaled(controls: np.ndarray, index: int, action: float) -> float:
    """Return what an action is as ctrl; ``to_ctrl`` for one number."""
    control = controls[index]
    action = 0.0 if np.isnan(action) else min(max(action, -1.0), 1.0)
    ctrl = control.centre + control.half * action
    return min(max(ctrl, control.low), control.high)  # rounding may have left the range


_SIGNATURE = (reads(2), CONTROLS, writes(2))


def _write_ctrl(action: np.ndarray, controls: np.ndarray, out: np.ndarray) -> None:
    for row in range(action.shape[0]):
        for index in range(action.shape[1]):
            out[row, index] = scaled(controls, index, action[row, index])
