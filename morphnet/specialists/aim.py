"""Aim: what the training of one body strives for, and how its snapshots are judged."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from morphnet.bodies import Body
from morphnet.errors import SimulationError
from morphnet.evaluation import PolicyController, evaluate
from morphnet.learning.rollout import Rollout
from morphnet.policy import ActorWeights, Policy
from morphnet.simulation import Starts
from morphnet.specialists.ascent import Anchor

EPISODES = 20
"""By which policies are compared."""


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


def judge(policies: Sequence[Policy], seed: int, episodes: int = EPISODES) -> float:
    """Mean return of the mean actions of policies, each on its own body; -inf where one breaks the physics."""
    try:
        return float(np.mean([TaskAim(one.body).judge(one.actor, episodes, seed) for one in policies]))
    except SimulationError:
        return -math.inf
