"""ReachEnv: morphnet/Reach-v0."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from morphnet.bodies import Body, Task
from morphnet.envs.body_env import BodyEnv
from morphnet.errors import MorphNetError


class ReachEnv(BodyEnv):
    """A body reaches a goal with its end effector.

    Goal: a point in the world (m), drawn within reach at every reset unless the task or ``reset(options={"goal":
    ...})`` names one. It is observed from the root's origin and from the end effector.

    Reward: goal_reward while the end effector is within goal_tolerance of the goal, minus distance_cost * distance
    (m) and the other costs of the task; ``info`` holds ``reward_distance``, ``reward_goal``, ``reward_healthy``,
    ``reward_ctrl`` and ``reward_contact``, and ``goal``: the goal of the episode. The rest is as in ``BodyEnv``.
    """

    kind = "reach"

    def __init__(
        self,
        body: str | Path | Body | dict[str, Any] = "spatial_arm_4",
        task: Task | None = None,
        render_mode: str | None = None,
    ) -> None:
        """Load the body; arguments as in ``BodyEnv``."""
        super().__init__(body, task, render_mode)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Start an episode; see ``gymnasium.Env.reset``.

        Args:
            seed: seeds the start state and the goal.
            options: what ``BodyEnv.reset`` takes, and ``goal``.

        Raises:
            MorphNetError: half a start state, or a goal that is no point.
        """
        observation, info = super().reset(seed=seed, options=options)
        if not options or "goal" not in options:
            return observation, info
        try:
            goal = np.array(options["goal"], np.float64)
        except (TypeError, ValueError):
            goal = np.empty(0)
        if goal.shape != (3,) or not np.isfinite(goal).all():
            raise MorphNetError(f"reset: goal = {options['goal']!r}: expected a point (x, y, z) in m")
        self._simulation.set_command(goal)
        self._command = goal
        return self._simulation.observation[0].copy(), self._facts()

    def _facts(self) -> dict[str, Any]:
        return {"goal": self._command.copy()}
