"""Demonstration: one episode, or a piece of one, as states and controls."""

from __future__ import annotations

import dataclasses

import numpy as np

from morphnet.bodies import Body
from morphnet.errors import DemonstrationError

SHORTEST = 2
"""Control steps below which nothing can be learnt from a demonstration."""
STATE = ("qpos", "qvel", "act", "last_ctrl")


@dataclasses.dataclass(frozen=True, eq=False)
class Demonstration:
    """T control steps of one body; float64, in MuJoCo's units.

    States are complete: a simulation can be put at any of them.

    Attributes:
        qpos: (T + 1, nq) positions before each step, and after the last.
        qvel: (T + 1, nv) velocities at the same times.
        act: (T + 1, na) activations at the same times.
        last_ctrl: (T + 1, nu) the control in force when each state was reached, which policies observe. So
            ``last_ctrl[t + 1]`` is what was applied from state t on; the first is 0 at an episode's start.
        reward: (T,) of the task it was recorded in.
        terminated: whether the last step left the task's limits.
        goal: (3,) the point to reach (m, in the world); None where the body runs.
    """

    qpos: np.ndarray
    qvel: np.ndarray
    act: np.ndarray
    last_ctrl: np.ndarray
    reward: np.ndarray
    terminated: bool = False
    goal: np.ndarray | None = None

    def __len__(self) -> int:
        """Control steps T."""
        return len(self.reward)

    @property
    def ctrl(self) -> np.ndarray:
        """(T, nu) the control that was applied from each state on."""
        return self.last_ctrl[1:]

    @property
    def total_reward(self) -> float:
        """Sum of the rewards."""
        return float(self.reward.sum())

    def fragment(self, start: int, steps: int) -> Demonstration:
        """Return ``steps`` control steps from step ``start`` on, fewer where it ends before."""
        stop = min(start + steps, len(self))
        states = {name: getattr(self, name)[start : stop + 1] for name in STATE}
        terminated = self.terminated and stop == len(self)
        return Demonstration(**states, reward=self.reward[start:stop], terminated=terminated, goal=self.goal)

    def check(self, body: Body, where: str) -> None:
        """Check that it can be one of ``body``; ``where`` names it in errors.

        Raises:
            DemonstrationError: wrong sizes, too short, or not numbers.
        """
        model = body.model
        steps = len(self)
        if steps < SHORTEST:
            raise DemonstrationError(f"{where}: {steps} control steps; at least {SHORTEST} are needed")
        for name, size in zip(STATE, (model.nq, model.nv, model.na, model.nu), strict=True):
            shape = getattr(self, name).shape
            if shape != (steps + 1, size):
                raise DemonstrationError(
                    f"{where}: {name} has shape {shape}; {body.name} needs ({steps + 1}, {size}) for {steps} steps"
                )
        if (self.goal is not None and self.goal.shape == (3,)) != (body.task.kind == "reach"):
            raise DemonstrationError(f"{where}: goal = {self.goal}; {body.name} is to {body.task.kind}")
        for name in (*STATE, "reward"):
            if not np.isfinite(getattr(self, name)).all():
                raise DemonstrationError(f"{where}: {name} holds NaN or infinite numbers")
