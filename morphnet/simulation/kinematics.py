"""Kinematics: the derived fields an observation reads."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import mujoco
import numpy as np

FIELDS = ("qpos", "qvel", "act", "ctrl", "xipos", "xmat", "xpos", "cvel", "subtree_com")


@dataclasses.dataclass
class Kinematics:
    """State and derived fields of n simulations of one model, in MuJoCo's units and frames.

    All derived fields belong to exactly this qpos and qvel (never to the substep before).

    Attributes:
        qpos: (n, nq). qvel: (n, nv). act: (n, na). ctrl: (n, nu).
        xipos: (n, nbody, 3) body centres of mass. xmat: (n, nbody, 9). xpos: (n, nbody, 3).
        cvel: (n, nbody, 6) com-based velocity, rotation first. subtree_com: (n, nbody, 3).
    """

    qpos: np.ndarray
    qvel: np.ndarray
    act: np.ndarray
    ctrl: np.ndarray
    xipos: np.ndarray
    xmat: np.ndarray
    xpos: np.ndarray
    cvel: np.ndarray
    subtree_com: np.ndarray

    @classmethod
    def of_data(cls, data: mujoco.MjData) -> Kinematics:
        """View one MjData as a batch of one; live as well."""
        return cls(*(_view(getattr(data, name)) for name in FIELDS))

    @classmethod
    def stack(cls, parts: Sequence[Kinematics]) -> Kinematics:
        """Put simulations one after another; copies."""
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in FIELDS))

    def rows(self, ids: np.ndarray) -> Kinematics:
        """Copy the simulations ``ids``."""
        return Kinematics(*(getattr(self, name)[ids] for name in FIELDS))


def _view(field: np.ndarray) -> np.ndarray:
    return field[None]


def update_kinematics(model: mujoco.MjModel, data: mujoco.MjData) -> None:
    """Compute the derived fields of ``FIELDS`` at the state in ``data``, and nothing else."""
    mujoco.mj_kinematics(model, data)
    mujoco.mj_comPos(model, data)
    mujoco.mj_comVel(model, data)
