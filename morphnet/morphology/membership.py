"""Membership in a handful of values, at the size of a robot."""

from collections.abc import Collection

import mujoco
import numpy as np


def among(values: np.ndarray, choices: Collection[int] | np.ndarray) -> np.ndarray:
    """Bool of the shape of ``values``: which are one of ``choices``. For a dozen values ``np.isin`` takes 40 us."""
    found: np.ndarray = (values[..., None] == np.asarray(choices)).any(axis=-1)
    return found


def is_scalar(kinds: np.ndarray) -> np.ndarray:
    """Which of MuJoCo's kinds of joints have one coordinate: slides and hinges."""
    return among(kinds, (int(mujoco.mjtJoint.mjJNT_SLIDE), int(mujoco.mjtJoint.mjJNT_HINGE)))
