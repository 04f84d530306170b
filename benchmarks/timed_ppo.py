"""PPO whose schedule follows the clock, for baselines that are given minutes rather than steps."""

from __future__ import annotations

import time

from morphnet.learning import Trainer
from morphnet.learning.ppo import PPO, WARM_UP, UpdateReport
from morphnet.learning.samples import Samples

LEARNING_RATE = 3e-4
"""Of PPO on weights that are learnt themselves; ours is for weights that are generated."""
WARM_UPDATES = 5
"""Updates over which the learning rate rises, as MetaMorph published, where the first hundredth of the run is fewer."""


class TimedPPO(PPO):
    """PPO whose learning rate follows the time where that is up before the steps are done; the clock starts when built.

    Attributes:
        minutes: of training.
    """

    def __init__(self, trainer: Trainer, minutes: float) -> None:
        """Take the place of a trainer's own PPO, which has learnt nothing yet."""
        super().__init__(trainer.networks, trainer.groups, trainer.workers, trainer.config)
        self.minutes, self._started, self._updates = minutes, time.monotonic(), 0

    def update(self, samples: list[Samples], progress: float) -> UpdateReport:
        """Take the gradient steps of one update."""
        share = max(progress, (time.monotonic() - self._started) / (60.0 * self.minutes))
        if self._updates < WARM_UPDATES:
            share = min(share, WARM_UP * self._updates / WARM_UPDATES)
        self._updates += 1
        return super().update(samples, share)
