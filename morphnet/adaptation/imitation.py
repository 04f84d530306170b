"""Imitation: PPO in the body's own simulation, rewarded for following demonstrations and for nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch

from morphnet.adaptation.lesson import Lesson
from morphnet.adaptation.tracking import Tracking
from morphnet.bodies import Body
from morphnet.config import NetworkConfig, TrainConfig
from morphnet.demonstrations import Demonstration
from morphnet.learning import Progress
from morphnet.learning.rollout import Rollout
from morphnet.policy import ActorWeights, Policy
from morphnet.simulation import StartStates, TaskStarts
from morphnet.specialists.ascent import Anchor
from morphnet.specialists.contest import Rounds
from morphnet.specialists.recipes import CRITIC_HIDDEN, ENDLESS
from morphnet.specialists.trainer import Recipe, Specialist

NUM_SIMS = 32
"""Simulations, over all threads."""
FROM_DEMONSTRATION = 0.5
"""Share of the episodes that begin at a demonstrated state (reference state initialisation, Peng et al. 2018)."""
ANCHOR, ANCHORED = 0.1, 256
"""Weight of imitating single actions beside PPO's loss, and how many a gradient step (Rajeswaran et al. 2018)."""


class DemonstratedStarts:
    """Start states of which a part is drawn from demonstrations, the others as the task has them."""

    def __init__(self, body: Body, demonstrations: Sequence[Demonstration]) -> None:
        """Draw from all states that were acted from."""
        self._task, self._model = TaskStarts(body), body.model
        names = ("qpos", "qvel", "act", "last_ctrl")
        self._states = {name: np.concatenate([getattr(d, name)[:-1] for d in demonstrations]) for name in names}

    def draw(self, rng: np.random.Generator, count: int) -> StartStates:
        """Return the start states of ``count`` episodes."""
        drawn = self._task.draw(rng, count)
        act, ctrl = np.zeros((count, self._model.na)), np.zeros((count, self._model.nu))
        chosen = np.flatnonzero(rng.random(count) < FROM_DEMONSTRATION)
        rows = rng.integers(0, len(self._states["qpos"]), len(chosen))
        for into, name in ((drawn.qpos, "qpos"), (drawn.qvel, "qvel"), (act, "act"), (ctrl, "last_ctrl")):
            into[chosen] = self._states[name][rows]
        return StartStates(drawn.qpos, drawn.qvel, act, ctrl)


class Marker:
    """Makes worth the reward of one body's successive rollouts.

    A step's reward is the worth of the state it begins in, so that no state beyond a reset is needed.
    """

    def __init__(self, tracking: Tracking, sims: int) -> None:
        """Begin with simulations whose episodes have just begun."""
        self._tracking = tracking
        self._smooth, self._total = np.full(sims, tracking.speed), np.zeros(sims)
        self._ended = np.ones(sims, bool)

    def __call__(self, rollout: Rollout) -> None:
        """Overwrite the rewards, and the returns of the episodes that ended."""
        ended = rollout.ended[:, 0].numpy() != 0
        begins = np.concatenate([self._ended[None], ended[:-1]])
        self._ended = ended[-1]
        worth = self._tracking.worth(rollout.observation[:-1, 0].numpy(), begins, self._smooth)
        rollout.reward[:, 0] = torch.from_numpy(worth)
        returns = []
        for t, row in enumerate(worth):
            self._total = np.where(begins[t], row, self._total + row)
            returns += (self._total[ended[t]] / self._tracking.longest).tolist()
        rollout.episodes[:] = [
            (0, value, length) for value, (*_, length) in zip(returns, rollout.episodes, strict=True)
        ]


class ImitationAim:
    """Strives to follow demonstrations; implements ``Aim``."""

    def __init__(self, lesson: Lesson, demonstrations: Sequence[Demonstration], tracking: Tracking) -> None:
        """Judge by ``tracking``, begin half of the episodes at demonstrated states, and keep to a lesson's actions."""
        self._tracking = tracking
        self.starts = DemonstratedStarts(lesson.body, demonstrations)
        self.anchor = Anchor(lesson.observation, lesson.action, ANCHORED, ANCHOR)

    def marker(self, sims: int) -> Callable[[Rollout], None]:
        """Return what makes the worth of states the reward of rollouts."""
        return Marker(self._tracking, sims)

    def judge(self, actor: ActorWeights, episodes: int, seed: int) -> float:
        """Mean worth a control step over whole episodes."""
        return self._tracking.follow(actor, episodes, seed).score


def imitate(
    start: Policy,
    aim: ImitationAim,
    steps: int | None,
    seconds: float | None,
    seed: int,
    threads: int,
    report: Callable[[Progress], None] = lambda _: None,
) -> Policy:
    """Improve a policy's following by PPO; the start competes too.

    Args:
        start: where to begin.
        aim: what is followed.
        steps: environment steps; None where the clock ends it.
        seconds: wall-clock of the training; the last judging comes after it.
        seed: seeds the critic, the resets, the exploration and the minibatches.
        threads: threads that share the simulations.
        report: called after every update.
    """
    ppo = TrainConfig(
        steps=steps or ENDLESS,
        seed=seed,
        threads=threads,
        num_sims=max(1, NUM_SIMS // threads),
        horizon=64,
        epochs=5,
        minibatches=8,
        learning_rate=3e-4,
        kl_limit=0.02,
        entropy=0.0,
        network=NetworkConfig(critic_hidden=CRITIC_HIDDEN),
    )
    rounds = Rounds(snapshots=8, quick=4, final=8)
    recipe = Recipe(ppo, seconds=seconds, rounds=rounds, warm_up=0.08, loudest=-2.0)
    return Specialist(start.body, recipe, start, aim).run(lambda _: None, report)
