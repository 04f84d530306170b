"""RunEnv: morphnet/Run-v0."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from morphnet.bodies import Body, Task
from morphnet.envs.body_env import BodyEnv


class RunEnv(BodyEnv):
    """A body runs along its task's direction.

    Reward: forward_weight * velocity + healthy_reward - ctrl_cost * sum(ctrl^2) - contact cost; ``info`` holds
    ``reward_forward``, ``reward_healthy``, ``reward_ctrl`` and ``reward_contact``. The rest is as in ``BodyEnv``.
    """

    def __init__(
        self,
        body: str | Path | Body | dict[str, Any] = "hopper",
        task: Task | None = None,
        render_mode: str | None = None,
    ) -> None:
        """Load the body; arguments as in ``BodyEnv``."""
        super().__init__(body, task, render_mode)
