"""StartQueue: start states and goals that are drawn ahead.

Whatever draws them is Python, which compiled loops cannot call. So these take what was drawn before, in its order, and
come back when too little is left.
"""

from __future__ import annotations

import numpy as np

from morphnet.bodies import Body
from morphnet.simulation.goals import GoalSampler
from morphnet.simulation.start_kernel import Waiting
from morphnet.simulation.starts import Starts


class StartQueue:
    """Start states, and goals of a body that reaches, of the next episodes of n simulations.

    Always n are drawn at once, so that what the episodes get does not depend on when that happens.

    Attributes:
        waiting: they, for compiled loops.
    """

    def __init__(self, body: Body, num_sims: int, starts: Starts) -> None:
        """Nothing waits yet."""
        self._num_sims, self._starts = num_sims, starts
        self._goals = GoalSampler(body) if body.task.kind == "reach" else None
        model = body.model
        width = model.nq + model.nv + model.na + model.nu + (0 if self._goals is None else 3)
        self.waiting = Waiting(np.zeros((2 * num_sims, width)), np.zeros(2, np.int64))
        self._nothing = {"act": np.zeros((num_sims, model.na)), "ctrl": np.zeros((num_sims, model.nu))}

    def clear(self) -> None:
        """Forget what waits."""
        self.waiting.span[:] = 0

    def fill(self, rng: np.random.Generator) -> None:
        """Draw as many as are needed for all simulations to begin anew at once."""
        first, end = self.waiting.span
        left = end - first
        if left >= self._num_sims:
            return
        rows = self.waiting.rows
        rows[:left] = rows[first:end].copy()
        rows[left : left + self._num_sims] = self._draw(rng)
        self.waiting.span[:] = 0, left + self._num_sims

    def _draw(self, rng: np.random.Generator) -> np.ndarray:
        count, states = self._num_sims, self._starts.draw(rng, self._num_sims)
        act = self._nothing["act"] if states.act is None else states.act
        ctrl = self._nothing["ctrl"] if states.ctrl is None else states.ctrl
        goals = [] if self._goals is None else [self._goals.draw(rng, count)]
        return np.concatenate([states.qpos, states.qvel, act, ctrl, *goals], axis=1)
