"""Aim: what the training of one body strives for, and how its snapshots are judged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np

from morphnet.bodies import Body
from morphnet.evaluation import PolicyController, evaluate
from morphnet.learning.rollout import Rollout
from morphnet.policy import ActorWeights, Policy
from morphnet.simulation import Starts
from morphnet.specialists.ascent import Anchor


class Judge(Protocol):
    """Which of many actors is the best."""

    def judge(self, actor: ActorWeights, episodes: int, seed: int) -> float:
        """Merit of an actor's mean actions over whole episodes; more is better."""


class Aim(Judge, Protocol):
    """What PPO is rewarded for, where its episodes start, and which snapshot is the best."""

    @property
    def starts(self) -> Starts | None:
        """Where training episodes begin; the task's start states when None."""

    def marker(self, sims: int) -> Callable[[Rollout], None]:
        """Return what puts the rewards into successive rollouts of ``sims`` simulations, in place."""

    @property
    def anchor(self) -> Anchor | None:
        """Actions to imitate beside PPO; None for none."""


class TaskAim:
    """The reward of the body's task, as the simulation gives it."""

    starts = None
    anchor = None

    def __init__(self, body: Body) -> None:
        """Strive for the returns of ``body``."""
        self._body = body

    def marker(self, sims: int) -> Callable[[Rollout], None]:
        """Leave the rewards as they are."""
        return lambda rollout: None

    def judge(self, actor: ActorWeights, episodes: int, seed: int) -> float:
        """Mean return."""
        policy = Policy(self._body, actor, {})
        return float(np.mean(evaluate(self._body, PolicyController(policy), episodes, seed).returns))
