"""Start states: where the episodes of a simulation begin."""

from __future__ import annotations

import dataclasses
from typing import Protocol

import numpy as np

from morphnet.bodies import Body


@dataclasses.dataclass(frozen=True)
class StartStates:
    """States of m episodes that begin; in MuJoCo's units.

    Attributes:
        qpos: (m, nq). qvel: (m, nv).
        act: (m, na) activations, those of a reset where None.
        ctrl: (m, nu) last controls, those of a reset where None.
    """

    qpos: np.ndarray
    qvel: np.ndarray
    act: np.ndarray | None = None
    ctrl: np.ndarray | None = None


class Starts(Protocol):
    """Whatever draws start states."""

    def draw(self, rng: np.random.Generator, count: int) -> StartStates:
        """Return the start states of ``count`` episodes."""


class TaskStarts:
    """The start pose with the task's noise."""

    def __init__(self, body: Body) -> None:
        """Draw starts of ``body``'s task."""
        self._task, self._model = body.task, body.model

    def draw(self, rng: np.random.Generator, count: int) -> StartStates:
        """Return the start states of ``count`` episodes."""
        task, model = self._task, self._model
        qpos_noise = rng.uniform(-task.qpos_noise, task.qpos_noise, (count, model.nq))
        uniform = task.qvel_noise_kind == "uniform"
        unit = rng.uniform(-1, 1, (count, model.nv)) if uniform else rng.normal(size=(count, model.nv))
        return StartStates(model.qpos0 + qpos_noise, task.qvel_noise * unit)
